// The version of this process, and its file descriptors. The other process_ metrics are prom-client's.
import { readdirSync, statSync } from 'node:fs'
import process from 'node:process'
import { readEngineVersion } from './engine-version.js'
import type { MetricsRegistry } from './metrics-registry.js'

const DESCRIPTORS = '/proc/self/fd'

/** Adds `build_info{version,node_version}`, and on Linux `process_open_fds`. */
export function addProcessMetrics(registry: MetricsRegistry): void {
  registry.add(
    { name: 'build_info', kind: 'gauge', help: 'Always 1; the labels are the running versions.' },
    { version: readEngineVersion(), node_version: process.versions.node },
    () => 1,
  )
  if (process.platform !== 'linux') return
  registry.addUnprefixed({ name: 'process_open_fds', kind: 'gauge', help: 'Open file descriptors.' }, {}, countOpenFds)
}

/**
 * Since Linux 6.2 the size of the folder is the number of descriptors. On older kernels it is 0 and the folder is read,
 * which takes time with thousands of viewers and opens a descriptor that is not counted.
 */
function countOpenFds(): number {
  const { size } = statSync(DESCRIPTORS)
  return size > 0 ? size : readdirSync(DESCRIPTORS).length - 1
}
