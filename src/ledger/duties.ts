import { addonDuties } from './addons/addon-work.ts';
import { certificateDuties } from './domains/certificate-duties.ts';
import { drainDuties } from './drains/drain-duties.ts';
import type { Duty } from './duty.ts';
import { pipelineDuties } from './pipelines/pipeline-duties.ts';
import type { View } from './view.ts';

/** All that is to be done now, by anybody. */
export function dutiesIn(view: View): readonly Duty[] {
  return [...addonDuties(view), ...drainDuties(view), ...pipelineDuties(view), ...certificateDuties(view)];
}
