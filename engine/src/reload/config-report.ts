// The effective configuration of a graph, as the control API shows it.
import { effectiveConfig, renderConfigYaml } from '../config/effective-config.js'
import type { Graph } from '../graph/graph.js'
import type { ConfigReport } from '../observe/reload-report.js'

export function configReportOf(graph: Graph): ConfigReport {
  const config = effectiveConfig(graph)
  return { config, yaml: renderConfigYaml(config) }
}
