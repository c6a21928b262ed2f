// The version of this process, and its file descriptors. The other process_ metrics are prom-client's.
import process from 'node:process'
import { countDescriptors } from './descriptor-limit.js'
import { readEngineVersion } from './engine-version.js'
import type { MetricsRegistry } from './metrics-registry.js'

/** Adds `build_info{version,node_version}`, and on Linux `process_open_fds`. */
export function addProcessMetrics(registry: MetricsRegistry): void {
  registry.add(
    { name: 'build_info', kind: 'gauge', help: 'Always 1; the labels are the running versions.' },
    { version: readEngineVersion(), node_version: process.versions.node },
    () => 1,
  )
  if (process.platform !== 'linux') return
  registry.addUnprefixed({ name: 'process_open_fds', kind: 'gauge', help: 'Open file descriptors.' }, {}, () =>
    countDescriptors(),
  )
}
