// The version and the resource usage of this process. The process_ names are those of Prometheus' conventions, without
// our prefix, so that ready-made dashboards find them.
import { readdirSync, statSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import process from 'node:process'
import type { MetricDeclaration, MetricRead } from '../plugin/contract.js'
import { readDescriptorLimit } from './descriptor-limit.js'
import { readEngineVersion } from './engine-version.js'
import type { MetricsRegistry } from './metrics-registry.js'

const US_PER_SECOND = 1e6
const DESCRIPTORS = '/proc/self/fd'

/** Adds `build_info{version,node_version}` and the process metrics; file descriptors on Linux only. */
export function addProcessMetrics(registry: MetricsRegistry): Disposable {
  const buildInfo = registry.add(
    { name: 'build_info', kind: 'gauge', help: 'Always 1; the labels are the running versions.' },
    { version: readEngineVersion(), node_version: process.versions.node },
    () => 1,
  )
  const rows = process.platform === 'linux' ? [...everywhere(), ...onLinux()] : everywhere()
  const added = [buildInfo, ...rows.map(([declaration, read]) => registry.addUnprefixed(declaration, {}, read))]
  return {
    [Symbol.dispose]: () => {
      for (const metric of added) metric[Symbol.dispose]()
    },
  }
}

type Row = readonly [MetricDeclaration, MetricRead]

function everywhere(): readonly Row[] {
  return [
    [
      { name: 'process_cpu_seconds_total', kind: 'counter', help: 'CPU time used, user and system, in seconds.' },
      () => {
        const { user, system } = process.cpuUsage()
        return (user + system) / US_PER_SECOND
      },
    ],
    [
      { name: 'process_resident_memory_bytes', kind: 'gauge', help: 'Resident memory in bytes.' },
      () => process.memoryUsage.rss(),
    ],
    [
      { name: 'process_start_time_seconds', kind: 'gauge', help: 'Start of the process, Unix time in seconds.' },
      () => performance.timeOrigin / 1000,
    ],
  ]
}

function onLinux(): readonly Row[] {
  const limit = readDescriptorLimit()
  return [
    [{ name: 'process_open_fds', kind: 'gauge', help: 'Open file descriptors.' }, countOpenFds],
    [{ name: 'process_max_fds', kind: 'gauge', help: 'Maximum number of open file descriptors.' }, () => limit],
  ]
}

/**
 * Since Linux 6.2 the size of the folder is the number of descriptors. On older kernels it is 0 and the folder is read,
 * which takes time with thousands of viewers and opens a descriptor that is not counted.
 */
function countOpenFds(): number {
  const { size } = statSync(DESCRIPTORS)
  return size > 0 ? size : readdirSync(DESCRIPTORS).length - 1
}
