// The schemas of the control API's responses, by their name in the OpenAPI document.
import {
  checkReportSchema,
  editReportSchema,
  reloadFailureSchema,
  reloadReportSchema,
  reloadStatusSchema,
} from '../observe/reload-report.js'
import { historyListSchema } from '../observe/history-report.js'
import { logListSchema } from '../observe/log-report.js'
import { sessionStatusSchema } from './session-status.js'
import { explanationSchema, nodeActionResultSchema, nodeOptionsSchema } from '../observe/operator.js'
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
  EditReport: editReportSchema,
  HistoryList: historyListSchema,
  CheckReport: checkReportSchema,
  CommandResult: commandResultSchema,
  NodeTypeList: nodeTypeListSchema,
  NodeActionResult: nodeActionResultSchema,
  Explanation: explanationSchema,
  NodeOptions: nodeOptionsSchema,
  LogList: logListSchema,
  SessionStatus: sessionStatusSchema,
  ApiError: apiErrorSchema,
} as const

export type SchemaName = keyof typeof SCHEMAS
