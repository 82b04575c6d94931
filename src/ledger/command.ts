import type { ErrorRecord } from '../errors.ts';
import type { OpId } from '../ids.ts';
import type { AccessCommand } from './access/access-types.ts';
import type { AddonCommand } from './addons/addon-types.ts';
import type { ProviderCommand } from './addons/provider-types.ts';
import type { AppCommand } from './apps/app-types.ts';
import type { ClusterCommand } from './cluster/cluster-types.ts';
import type { AcmCommand } from './domains/acm-types.ts';
import type { CertCommand } from './domains/cert-types.ts';
import type { DomainCommand } from './domains/domain-types.ts';
import type { DrainCommand } from './drains/drain-types.ts';
import type { OpDraft } from './op.ts';
import type { UserEmail } from './values.ts';
import type { PipelineCommand } from './pipelines/pipeline-types.ts';
import type { SetupCommand } from './pipelines/setup-types.ts';
import type { PortCommand } from './ports/port-types.ts';
import type { ReleaseCommand } from './releases/release-types.ts';
import type { VolumeCommand } from './volumes/volume-types.ts';

/** A write that somebody asks for. Values are sealed before they get here; ids that must be random come with it. */
export type Command =
  | AccessCommand
  | AcmCommand
  | AddonCommand
  | AppCommand
  | CertCommand
  | ClusterCommand
  | DomainCommand
  | DrainCommand
  | PipelineCommand
  | PortCommand
  | ProviderCommand
  | ReleaseCommand
  | SetupCommand
  | VolumeCommand;

/** The command of a type. */
export type CommandOf<Type extends Command['type']> = Extract<Command, { type: Type }>;

/** Who asks, and the id that makes a repeated request the same write. */
export type CommandContext = { readonly user: UserEmail; readonly request: string | null };

/** What `decide` says: ops to append (none when the write is already there, or changes nothing), or why not. */
export type Decision =
  | {
      readonly ok: true;
      readonly drafts: readonly OpDraft[];
      /** The earlier op of a repeated request. */ readonly repeats: OpId | null;
    }
  | { readonly ok: false; readonly error: ErrorRecord };

/** What the asker gets: the ops that hold the result (found in the view by id), or the error. */
export type CommandResult =
  | { readonly ok: true; readonly ops: readonly OpId[] }
  | { readonly ok: false; readonly error: ErrorRecord };
