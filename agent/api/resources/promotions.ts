import type { PromotionId } from '../../../src/ids.ts';
import type { Promotion } from '../../../src/ledger/pipelines/pipeline-types.ts';
import type { BodyOf } from '../../../src/platform/endpoint.ts';
import { promotionEndpoints } from '../../../src/platform/endpoints/pipelines.ts';
import { mustFindPipeline } from '../../../src/platform/pipeline.ts';
import { mustFindPromotion, promotionResource, promotionTargets } from '../../../src/platform/promotion.ts';
import { created, ok } from '../api.ts';
import type { ApiRequest } from '../api.ts';
import type { Reply } from '../reply.ts';
import { route } from '../router.ts';

export const promotionRoutes = [
  route(promotionEndpoints.create, create),
  route(promotionEndpoints.info, (request) => ok(promotionResource(request.view(), mustFind(request)))),
  route(promotionEndpoints.targets, (request) => ok(promotionTargets(request.view(), mustFind(request)))),
];

/** Says what shall be; whichever peer is its home makes the releases. */
async function create(request: ApiRequest, body: BodyOf<typeof promotionEndpoints.create>): Promise<Reply> {
  const pipeline = mustFindPipeline(request.view(), body.pipeline.id, request.caller);
  // The targets get its code.
  const source = request.appNamed(body.source.app.id, 'deploy');
  const targets = body.targets.map(({ app }) => request.appNamed(app.id, 'deploy').id);
  const promotion = request.freshId('promotion') as PromotionId;
  await request.command({
    type: 'promotion.create',
    promotion,
    pipeline: pipeline.id,
    source: source.id,
    targets,
  });
  return created(promotionResource(request.view(), mustFindPromotion(request.view(), promotion)));
}

function mustFind(request: ApiRequest): Promotion {
  const promotion = mustFindPromotion(request.view(), request.param('promotion'));
  // Told to whoever may know of the pipeline, and to all after that is gone.
  if (request.view().pipelines.has(promotion.pipeline))
    mustFindPipeline(request.view(), promotion.pipeline, request.caller);
  return promotion;
}
