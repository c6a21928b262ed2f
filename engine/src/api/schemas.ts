// The schemas of the control API's responses, by their name in the OpenAPI document.
import {
  checkReportSchema,
  reloadFailureSchema,
  reloadReportSchema,
  reloadStatusSchema,
} from '../observe/reload-report.js'
import {
  aliasStatusSchema,
  apiErrorSchema,
  clientListSchema,
  clientStatusSchema,
  commandResultSchema,
  engineStatusSchema,
  listenerStatusSchema,
  nodeStatusSchema,
  nodeTypeListSchema,
  pipelineStatusSchema,
  readinessSchema,
} from '../observe/status.js'

export const SCHEMAS = {
  NodeStatus: nodeStatusSchema,
  AliasStatus: aliasStatusSchema,
  ListenerStatus: listenerStatusSchema,
  ClientStatus: clientStatusSchema,
  ClientList: clientListSchema,
  PipelineStatus: pipelineStatusSchema,
  EngineStatus: engineStatusSchema,
  Readiness: readinessSchema,
  ReloadStatus: reloadStatusSchema,
  ReloadReport: reloadReportSchema,
  ReloadFailure: reloadFailureSchema,
  CheckReport: checkReportSchema,
  CommandResult: commandResultSchema,
  NodeTypeList: nodeTypeListSchema,
  ApiError: apiErrorSchema,
} as const

export type SchemaName = keyof typeof SCHEMAS
