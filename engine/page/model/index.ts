// The entry point `@millrace/engine/model`: what a dashboard knows of a running engine, and what is wrong with it. Pure,
// without I/O; in use in the terminal and in the browser.
export { clockTime, megabits, shortBits, shortBytes, shortSpan } from './amounts.js'
export { checkingNode, PRIORITIES, sourceOf } from './checks.js'
export { EngineModel, isBadState } from './engine-model.js'
export type { NodeModel, PatternModel } from './engine-model.js'
export { troublesOf } from './event-rows.js'
export type { EventRow } from './event-rows.js'
export { logText } from './log-text.js'
export { EventStreamParser } from './event-stream.js'
export type { ServerEvent } from './event-stream.js'
export { nodeRows } from './node-rows.js'
export type { NodeRow } from './node-rows.js'
export { pipelineRows, worstState } from './pipeline-rows.js'
export type { PipelineRow } from './pipeline-rows.js'
export type { NodeDetails, StreamDetails } from './node-details.js'
export { recorderLines } from './recorder-text.js'
export { shortFigures, streamFigures } from './stream-figures.js'
export { isKeyFrameLate, keyFrameAge, patternProblemOf, problemOf, problemsOf } from './problems.js'
export { RateHistory } from './rate-history.js'
export { totalRates } from './total-rates.js'
export type {
  ClientStatus,
  EdgeStatus,
  EngineEvent,
  EngineSample,
  EngineStatus,
  LogEntry,
  NodeStatus,
} from './shapes.js'
export { behindText, isSlow, secondsBehind, sortByBehind, viewerBehind, viewerState } from './viewer-state.js'
