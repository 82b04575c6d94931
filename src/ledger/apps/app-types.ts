import type {
  AddonId,
  AppId,
  AppName,
  AttachmentId,
  BackupId,
  CertId,
  DrainId,
  OpId,
  ProcessType,
  ReleaseId,
  VolumeId,
} from '../../ids.ts';
import type { Collaborator } from '../access/access-types.ts';
import type { Addon, Attachment } from '../addons/addon-types.ts';
import type { Acm } from '../domains/acm-types.ts';
import type { Cert } from '../domains/cert-types.ts';
import type { Domain } from '../domains/domain-types.ts';
import type { Drain } from '../drains/drain-types.ts';
import type { UserEmail } from '../values.ts';
import type { Coupling } from '../pipelines/pipeline-types.ts';
import type { Setup } from '../pipelines/setup-types.ts';
import type { Port } from '../ports/port-types.ts';
import type { Build, ConfigWrite, Release, SlugUpload } from '../releases/release-types.ts';
import type { Backup, Volume } from '../volumes/volume-types.ts';

/** What is written of an app itself, and of how much of it runs. */
export type AppBody =
  | {
      readonly kind: 'app.create';
      readonly app: AppId;
      readonly name: AppName;
      readonly owner: UserEmail;
      readonly request: string | null;
    }
  | {
      readonly kind: 'app.update';
      readonly app: AppId;
      readonly name?: AppName;
      readonly owner?: UserEmail;
      readonly maintenance?: boolean;
      /** Switches these on or off. */
      readonly features?: Readonly<Record<string, boolean>>;
    }
  | { readonly kind: 'app.destroy'; readonly app: AppId }
  | {
      readonly kind: 'formation.scale';
      readonly app: AppId;
      readonly type: ProcessType;
      readonly quantity: number;
      readonly size: string;
      readonly user: UserEmail;
    }
  /** Asks for fresh dynos: all of the app, one type, or one slot. */
  | {
      readonly kind: 'formation.restart';
      readonly app: AppId;
      readonly type: ProcessType | null;
      readonly index: number | null;
      readonly user: UserEmail;
    }
  | { readonly kind: 'buildpacks.set'; readonly app: AppId; readonly buildpacks: readonly string[] };

export type AppCommand =
  /** `app` is a fresh UUID; no name: `fallbackName` (a haiku name) is used. Writes release v1 and, as on Heroku, v2 `Enable Logplex`. */
  | {
      readonly type: 'app.create';
      readonly app: AppId;
      readonly name: string | null;
      readonly fallbackName: string;
    }
  | {
      readonly type: 'app.update';
      readonly app: AppId;
      readonly name?: string;
      readonly maintenance?: boolean;
      readonly features?: Readonly<Record<string, boolean>>;
    }
  | { readonly type: 'app.destroy'; readonly app: AppId }
  /** Gives the app to another owner; who had it stays a collaborator. */
  | { readonly type: 'app.transfer'; readonly app: AppId; readonly to: UserEmail }
  | {
      readonly type: 'formation.scale';
      readonly app: AppId;
      readonly updates: readonly {
        readonly type: string;
        readonly quantity?: number;
        readonly by?: number;
        readonly size?: string;
      }[];
    }
  | {
      readonly type: 'formation.restart';
      readonly app: AppId;
      readonly process: ProcessType | null;
      readonly index: number | null;
    }
  | { readonly type: 'buildpacks.set'; readonly app: AppId; readonly buildpacks: readonly string[] };

export type App = {
  readonly id: AppId;
  /** What was asked for; two apps created under one name on two sides of a split both keep it… */
  readonly wantedName: AppName;
  /** …and the later is shown as `name-xxxx`. Unique among live apps. */
  readonly name: AppName;
  readonly owner: UserEmail;
  /** What others may do with it beside what their roles allow, by user in lower case. */
  readonly collaborators: ReadonlyMap<UserEmail, Collaborator>;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly maintenance: boolean;
  /** Names of what is switched on for it. */
  readonly features: ReadonlySet<string>;
  readonly destroyed: boolean;
  readonly releases: ReadonlyMap<ReleaseId, Release>;
  /** Releases without children, sorted by id. More than one only until the home peer has written the merge. */
  readonly heads: readonly ReleaseId[];
  /**
   * What dynos run: the newest succeeded release, the latest by (hlc, id) where a split made several. Null only before
   * the first release came.
   */
  readonly current: ReleaseId | null;
  /** What is set now, whether or not a release that runs has it yet: what the next release starts from. */
  readonly config: ReadonlyMap<string, ConfigWrite>;
  readonly formation: ReadonlyMap<ProcessType, FormationEntry>;
  /** Latest restart request by scope: `''` for the app, `web` for a type, `web.1` for a slot. */
  readonly restarts: ReadonlyMap<string, OpId>;
  readonly buildpacks: readonly string[];
  readonly domains: ReadonlyMap<string, Domain>;
  readonly certs: ReadonlyMap<CertId, Cert>;
  /** Whether certificates are ordered for its domains, and how that goes. */
  readonly acm: Acm;
  readonly builds: ReadonlyMap<string, Build>;
  readonly volumes: ReadonlyMap<VolumeId, Volume>;
  readonly destroyedVolumes: ReadonlySet<VolumeId>;
  readonly backups: ReadonlyMap<BackupId, Backup>;
  /** Where it stands in a pipeline, which may be gone. */
  readonly coupling: Coupling | null;
  /** How it is made ready, where that is from an archive and its app.json. */
  readonly setup: Setup | null;
  /** Slugs that clients sent, by their ids. */
  readonly uploads: ReadonlyMap<string, SlugUpload>;
  readonly drains: ReadonlyMap<DrainId, Drain>;
  /** Process types that are open: each has a TCP port that all dynos of the cluster reach. */
  readonly ports: ReadonlyMap<ProcessType, Port>;
  /** Those that it owns, and those that it owned and that are gone. */
  readonly addons: ReadonlyMap<AddonId, Addon>;
  /** Add-ons of its own and of others that its dynos have. */
  readonly attachments: ReadonlyMap<AttachmentId, Attachment>;
};

export type FormationEntry = {
  readonly type: ProcessType;
  readonly quantity: number;
  readonly size: string;
  readonly updatedAt: number;
};
