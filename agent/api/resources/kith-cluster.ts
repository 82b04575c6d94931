import { PlatformError } from '../../../src/errors.ts';
import { clusterResource } from '../../../src/platform/cluster.ts';
import { doctorResource } from '../../../src/platform/doctor.ts';
import { isoTime } from '../../../src/platform/time.ts';
import type { BodyOf } from '../../../src/platform/endpoint.ts';
import { clusterEndpoints } from '../../../src/platform/endpoints/kith-cluster.ts';
import { created, ok } from '../api.ts';
import type { ApiRequest } from '../api.ts';
import type { Reply } from '../reply.ts';
import { route } from '../router.ts';

export const clusterRoutes = [
  route(clusterEndpoints.info, show),
  route(clusterEndpoints.ca, ca),
  route(clusterEndpoints.invite, invite),
  route(clusterEndpoints.join, join),
  route(clusterEndpoints.doctor, doctor),
];

function show({ api: { host } }: ApiRequest): Reply {
  return ok(clusterResource(host.view(), host.self));
}

function ca({ api, response }: ApiRequest): null {
  const pem = api.host.view().ca?.cert;
  if (pem === undefined) {
    throw new PlatformError('not_found', 'This peer does not know the CA of its cluster yet', {
      resource: 'ca',
      hint: 'Try again in a moment',
    });
  }
  response.writeHead(200, { 'Content-Type': 'application/x-pem-file', 'Cache-Control': 'no-cache' });
  response.end(pem.endsWith('\n') ? pem : `${pem}\n`);
  return null;
}

async function invite(
  request: ApiRequest,
  { ttl_seconds }: BodyOf<typeof clusterEndpoints.invite>,
): Promise<Reply> {
  const ttlMs = ttl_seconds * 1_000;
  const token = await request.api.host.invite(request.context, ttlMs);
  return created({ token, expires_at: isoTime(Date.now() + ttlMs) });
}

async function join(request: ApiRequest, { token }: BodyOf<typeof clusterEndpoints.join>): Promise<Reply> {
  await request.api.host.join(token);
  return show(request);
}

function doctor({ api: { host } }: ApiRequest): Reply {
  return ok(doctorResource(host.view(), host.peers(), host.unplaced(), host.self, Date.now()));
}
