export { topology } from './flow/topology.js';
export type {
  RunOptions,
  Topology,
  TopologyBeginning,
  TopologyFlow,
  TopologyRoute,
  TopologyRoutes,
} from './flow/topology.js';
export type { MirrorSpec } from './flow/mirrors.js';
export { settle } from './flow/settle.js';
export type { PlacedLeg, SettleConfig, Settled } from './flow/settle.js';
export { transform } from './flow/transform.js';
export type { Route, RouteOutput, Transform, Transformed } from './flow/transform.js';
export { Memories } from './flow/memories.js';
export { Tally } from './flow/tally.js';
export type { EventOperator } from './flow/way.js';
export { leg } from './flow/leg.js';
export type { Leg, LegConfig } from './flow/leg.js';
export { refusedTo } from './flow/refused-to.js';
export { Budget } from './flow/demand.js';
export type { DemandConfig } from './flow/demand.js';
export { addLedgers, emptyLedger, isExact } from './flow/ledger.js';
export type { Counts, Ledger } from './flow/ledger.js';
export { Checkpointer } from './flow/checkpoint.js';
export type { Captured, CapturedStages, CheckpointConfig } from './flow/checkpoint.js';
export type { Batch, Lane } from './model/batch.js';
export type { Checkpoint, CheckpointStore } from './model/checkpoint.js';
export type { DeadLetter } from './model/dead-letter.js';
export { Shape } from './model/event.js';
export type { Content, LogRecord } from './model/event.js';
export type { Json } from './model/json.js';
export type { Notice } from './model/notice.js';
export type {
  Delivery,
  EventSink,
  Receipt,
  Refusal,
  Sink,
  SinkCapture,
  SinkContext,
  SinkResource,
} from './model/sink.js';
export type { Demand, RecordFilter, SavedLane, Source, SourceContext } from './model/source.js';
