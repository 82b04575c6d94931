import { clusterResource } from '../../../src/platform/cluster.ts';
import { doctorResource } from '../../../src/platform/doctor.ts';
import { inviteCreateSchema, joinSchema } from '../../../src/platform/schemas.ts';
import { isoTime } from '../../../src/platform/time.ts';
import { created, ok } from '../api.ts';
import type { ApiRequest, Reply } from '../api.ts';
import { route } from '../router.ts';

export const clusterRoutes = [
  route('GET', '/kith/cluster', show),
  route('POST', '/kith/invites', invite),
  route('POST', '/kith/join', join),
  route('GET', '/kith/doctor', doctor),
];

function show({ api: { host } }: ApiRequest): Reply {
  return ok(clusterResource(host.view(), host.self));
}

async function invite(request: ApiRequest): Promise<Reply> {
  const { ttl_seconds } = await request.body(inviteCreateSchema);
  const ttlMs = ttl_seconds * 1_000;
  const token = await request.api.host.invite(request.context, ttlMs);
  return created({ token, expires_at: isoTime(Date.now() + ttlMs) });
}

async function join(request: ApiRequest): Promise<Reply> {
  const { token } = await request.body(joinSchema);
  await request.api.host.join(token);
  return show(request);
}

function doctor({ api: { host } }: ApiRequest): Reply {
  return ok(doctorResource(host.view(), host.peers(), host.unplaced(), host.self));
}
