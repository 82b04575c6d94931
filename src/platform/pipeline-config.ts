import type { PipelineId } from '../ids.ts';
import type { Stage, Pipeline } from '../ledger/pipelines/pipeline-types.ts';

/** The config vars that apps of one stage start with, opened. */
export function stageConfigOf(
  { id, config }: Pipeline,
  stage: Stage,
  open: (pipeline: PipelineId, key: string, sealed: Uint8Array) => string,
): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [name, sealed] of config) {
    const [of, key] = name.split(' ');
    if (of === stage && key !== undefined) found[key] = open(id, key, sealed);
  }
  return found;
}
