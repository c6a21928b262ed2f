// The door `@millrace/engine/api`: the shapes that the control API answers with, for clients. Types only.
export type {
  ApiError,
  ClientList,
  ClientStatus,
  EngineStatus,
  ListenerStatus,
  NodeState,
  NodeStatus,
  PipelineStatus,
  Readiness,
} from './types.js'
