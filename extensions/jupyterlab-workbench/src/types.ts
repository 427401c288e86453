/** Shapes of the server's answers, as workbench/server/openapi.json has them. */

export type Plain = string | number | boolean | null;
export type Scale = 'smoke' | 'demo' | 'paper';
export type Answer =
  | 'supported'
  | 'refuted'
  | 'undecided'
  | 'not testable here';
export type Counts = { [name: string]: number };
export type Seconds = { [scale in Scale]?: number | null };

export interface IFieldError {
  what: string;
  given?: string | null;
  expected?: string | null;
  do?: string | null;
}

export interface IProblem extends Partial<IFieldError> {
  title: string;
  status: number;
  detail: string;
  errors?: { [name: string]: IFieldError };
}

export interface IClaim {
  id: string;
  statement: string;
  ours: boolean;
  parts: string[];
}

export interface IReported {
  metric: string;
  dataset: string;
  place: string;
  value: number | null;
  text: string;
  unit: string;
  key: string;
}

export interface IDataNeed {
  name: string;
  there: boolean | null;
  why: string;
}

export type StudyStatus =
  | 'never run'
  | 'queued'
  | 'running'
  | 'done'
  | 'stale'
  | 'failed'
  | 'out of memory'
  | 'died'
  | 'stopped';

export interface IStudyState {
  status: StudyStatus;
  reason: string | null;
  run: string | null;
  job: number | null;
  at: number | null;
  fraction: number | null;
  verdicts: { claim: string; answer: Answer }[];
  counts: Counts;
}

export interface IStudy {
  name: string;
  slug: string;
  title: string;
  source: string;
  arxiv: string | null;
  pillar: string;
  version: string;
  origin: string;
  words: string[];
  claims: IClaim[];
  claims_unread: string | null;
  reported: IReported[];
  state: IStudyState;
  data: IDataNeed[];
  seconds: Seconds;
  error: string | null;
}

export interface IStudies {
  studies: IStudy[];
  pillars: string[];
  default_scale: Scale;
}

export interface IParameter {
  name: string;
  kind: 'int' | 'float' | 'str' | 'bool';
  default: Plain;
  optional: boolean;
  choices: Plain[];
  low: number | null;
  high: number | null;
  help: string;
  allowed: string;
  by_scale: { [scale in Scale]?: Plain } | null;
  runtime: boolean;
  common: boolean;
}

export interface IRunSummary {
  study: string;
  slug: string;
  run: string;
  status: string;
  scale: string;
  started: number;
  ended: number;
  seconds: number;
  job: number | null;
  owner: string | null;
  fraction: number | null;
  step: string | null;
  counts: Counts;
  stale: string[];
}

export interface IStudyPage extends IStudy {
  description: string;
  parameters: IParameter[];
  default_scale: Scale;
  needs: string[];
  outline: string[];
  runs: IRunSummary[];
}

export type Values = { [name: string]: Plain };

export interface ICheck {
  ok: boolean;
  errors: { [name: string]: IFieldError };
  parameters: Values | null;
  command: string | null;
  papermill: string | null;
  seconds: number | null;
  notes: string[];
}

export interface IProgress {
  fraction: number | null;
  cell: number | null;
  cells: number | null;
  step: string | null;
  steps_done: number;
  line: string | null;
}

export type JobState =
  | 'queued'
  | 'running'
  | 'done'
  | 'failed'
  | 'cancelled'
  | 'lost';

export interface IJob {
  id: number;
  study: string;
  slug: string;
  title: string;
  parameters: Values;
  scale: string;
  device: string;
  state: JobState;
  reason: string | null;
  run: string | null;
  fresh: boolean | null;
  created: number;
  started: number | null;
  ended: number | null;
  seconds: number | null;
  expected_seconds: number | null;
  position: number | null;
  cancelling: boolean;
  restarted_from: number | null;
  origin: string;
  progress: IProgress;
  counts: Counts;
  problem: IFieldError | null;
  changed: number;
}

export interface ILimits {
  queue: number;
  devices: Counts;
}

export interface IJobs {
  jobs: IJob[];
  cursor: number;
  counts: Counts;
  limits: ILimits;
  works: boolean;
  poll_seconds: number;
  store: string;
}

export interface IJobEvent {
  cursor: number;
  id: number;
  study: string;
  slug: string;
  state: JobState;
  reason: string | null;
  run: string | null;
  seconds: number | null;
  position: number | null;
  cancelling: boolean;
  progress: IProgress;
}

export interface ILog {
  job: number;
  text: string;
  start: number;
  end: number;
  size: number;
}

export interface IRuns {
  runs: IRunSummary[];
  total: number;
  more: boolean;
}

export interface INumber {
  value: number | null;
  low: number | null;
  high: number | null;
  level: number;
  unit: string;
  rule: string;
  counts: Counts;
  undefined: string | null;
  text: string;
}

export interface IVerdict {
  claim: string;
  statement: string;
  answer: Answer;
  effect: INumber | null;
  reason: string;
  parts: IVerdict[];
}

export interface IFigure {
  name: string;
  type: string;
  title: string;
  bytes: number;
}

export interface IRunResult {
  summary: IRunSummary;
  title: string;
  version: string;
  parameters: { [name: string]: unknown };
  numbers: ({ name: string } & INumber)[];
  verdicts: IVerdict[];
  reported: IReported[];
  environment: { [name: string]: unknown };
  timings: { step: string; seconds: number }[];
  notes: string[];
  figures: IFigure[];
  report: boolean;
  problem: IFieldError | null;
}

export interface IRow {
  name: string;
  values: unknown[];
  differs: boolean;
}

export interface IComparison {
  runs: { summary: IRunSummary; version: string; label: string }[];
  comparable: boolean;
  why: string | null;
  parameters: IRow[];
  numbers: { name: string; unit: string; values: (INumber | null)[] }[];
  verdicts: {
    claim: string;
    statement: string;
    answers: (Answer | null)[];
    reasons: (string | null)[];
    changed: boolean;
  }[];
  environment: IRow[];
  figures: { name: string; title: string; runs: boolean[] }[];
}

export interface IBoard {
  studies: Pick<
    IStudy,
    'name' | 'slug' | 'title' | 'pillar' | 'version' | 'state' | 'claims'
  >[];
  counts: Counts;
  statuses: Counts;
}

export interface IStatus {
  version: string;
  at: number;
  cpu: {
    cores: number;
    percent: number;
    memory_total: number;
    memory_available: number;
  };
  gpus: {
    index: number;
    name: string;
    percent: number | null;
    memory_total: number;
    memory_used: number;
    processes: {
      job: number | null;
      kernel: string | null;
      memory: number | null;
    }[];
  }[];
  gpu_note: string | null;
  jobs: {
    id: number;
    slug: string;
    device: string;
    memory: number;
    percent: number;
  }[];
  counts: Counts;
  limits: ILimits;
  free_bytes: number;
  works: boolean;
}
