// Checks what the machine provides: Node, descriptors, socket buffers, tools.
import { explainShortage } from '../listen/descriptor-check.js'
import type { Demand, Finding, Machine } from './finding.js'

const OLDEST_NODE = [20, 19] as const
const MIB = 1024 * 1024
/** What an SRT or UDP input needs to lose no packets in bursts of tens of Mb/s. */
const WANTED_SOCKET_BUFFER = 4 * MIB
/** The backlog that Node requests when it listens. */
const NODE_BACKLOG = 511
const SOFTWARE_ENCODERS = ['libx264', 'libx265', 'mpeg2video', 'aac', 'mp2', 'ac3', 'mjpeg', 'libwebp']
const HARDWARE_ENCODERS = ['nvenc', 'qsv', 'vaapi'].flatMap((kind) => [`h264_${kind}`, `hevc_${kind}`])
/** Share of the memory that stalled viewers may take in the kernel. */
const KERNEL_SHARE = 0.5

export function checkNode({ nodeVersion }: Machine): Finding {
  const [major = 0, minor = 0] = nodeVersion.replace(/^v/, '').split('.').map(Number)
  const isOld = major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])
  const found = nodeVersion.replace(/^v/, '')
  if (isOld) return { check: 'Node', level: 'fail', found, advice: `install Node ${OLDEST_NODE.join('.')} or newer` }
  return { check: 'Node', level: 'ok', found, advice: '' }
}

export function checkDescriptors({ descriptorLimit }: Machine, demand: Demand): Finding {
  const found = Number.isFinite(descriptorLimit) ? `${descriptorLimit} file descriptors` : 'no limit'
  const needs = { perOutput: demand.perOutput, overall: demand.maxClients }
  const shortage = explainShortage(descriptorLimit, needs)
  return { check: 'descriptors', level: shortage === undefined ? 'ok' : 'warn', found, advice: shortage ?? '' }
}

/** Linux only: nothing is reported elsewhere. */
export function checkKernel(machine: Machine, demand: Demand): readonly Finding[] {
  if (machine.platform !== 'linux') return []
  return [
    ...['rmem_max', 'wmem_max'].flatMap((name) => checkSocketBuffer(machine, name)),
    ...checkReceiveBuffers(machine, demand),
    ...checkBacklog(machine),
    ...checkTcpWrite(machine, demand),
    ...checkTcpRead(machine),
  ]
}

export async function checkTools(machine: Machine): Promise<readonly Finding[]> {
  const tools = [
    ['ffmpeg', ['-version'], 'needed by transcoders and by tests: install ffmpeg with your package manager'],
    ['ffprobe', ['-version'], 'comes with ffmpeg; useful to inspect streams'],
    ['srt-live-transmit', ['-version'], 'only needed to try SRT by hand: install the package srt-tools'],
  ] as const
  return Promise.all(
    tools.map(async ([check, args, advice]): Promise<Finding> => {
      const [output] = (await machine.run(check, args))?.trimStart().split('\n', 1) ?? []
      if (output === undefined) return { check, level: 'warn', found: 'not found', advice }
      return { check, level: 'ok', found: /version:?\s+(\S+)/i.exec(output)?.[1] ?? output, advice: '' }
    }),
  )
}

/** What the FFmpeg that nodes would start can encode; nothing if there is none. Hardware is not tried. */
export async function checkEncoders(
  machine: Machine,
  { programPaths }: Pick<Demand, 'programPaths'>,
): Promise<readonly Finding[]> {
  const list = await machine.run(programPaths?.['ffmpeg'] ?? 'ffmpeg', ['-hide_banner', '-encoders'])
  if (list === undefined) return []
  const has = (name: string): boolean => new RegExp(`^ [VA]\\S* +${name} `, 'm').test(list)
  const hardware = HARDWARE_ENCODERS.filter(has)
  const found = [
    SOFTWARE_ENCODERS.filter(has).join(' ') || 'none that nodes use',
    ...(hardware.length === 0 ? [] : [`for hardware, if it is there: ${hardware.join(' ')}`]),
  ]
  return [{ check: 'encoders of ffmpeg', level: 'ok', found: found.join('; '), advice: '' }]
}

function checkSocketBuffer(machine: Machine, name: string): readonly Finding[] {
  const value = Number(machine.read(`/proc/sys/net/core/${name}`))
  if (!Number.isFinite(value) || value === 0) return []
  const check = `net.core.${name}`
  const found = mebibytes(value)
  if (value >= WANTED_SOCKET_BUFFER) return [{ check, level: 'ok', found, advice: '' }]
  const advice = `for SRT and UDP at high rates: sysctl -w ${check}=${WANTED_SOCKET_BUFFER}`
  return [{ check, level: 'warn', found, advice }]
}

/** Nodes that are granted less than they ask for. */
function checkReceiveBuffers(machine: Machine, { receiveBuffers }: Demand): readonly Finding[] {
  const most = Number(machine.read('/proc/sys/net/core/rmem_max'))
  if (!Number.isFinite(most) || most === 0) return []
  return receiveBuffers.map(([node, bytes]): Finding => {
    const check = `receive buffer of ${node}`
    if (bytes <= most) return { check, level: 'ok', found: mebibytes(bytes), advice: '' }
    const advice = `or lower receiveBuffer; datagrams that do not fit are lost: sysctl -w net.core.rmem_max=${bytes}`
    return { check, level: 'warn', found: `${mebibytes(most)} instead of ${mebibytes(bytes)}`, advice }
  })
}

function checkBacklog(machine: Machine): readonly Finding[] {
  const value = Number(machine.read('/proc/sys/net/core/somaxconn'))
  if (!Number.isFinite(value) || value === 0) return []
  const check = 'net.core.somaxconn'
  if (value >= NODE_BACKLOG) return [{ check, level: 'ok', found: String(value), advice: '' }]
  const advice = `if many viewers connect at once, some are refused: sysctl -w ${check}=4096`
  return [{ check, level: 'warn', found: String(value), advice }]
}

/** A stalled viewer holds up to the third value of tcp_wmem in kernel memory. */
function checkTcpWrite(machine: Machine, { perOutput, maxClients }: Demand): readonly Finding[] {
  const value = thirdOf(machine.read('/proc/sys/net/ipv4/tcp_wmem'))
  if (value === undefined) return []
  const check = 'net.ipv4.tcp_wmem'
  const perOutputs = perOutput.reduce((sum, max) => sum + (max === 0 ? Infinity : max), 0)
  const viewers = Math.min(perOutputs, maxClients === 0 ? Infinity : maxClients)
  const found = `up to ${mebibytes(value)} for each stalled viewer`
  const worst = value * viewers
  if (worst <= machine.memoryBytes * KERNEL_SHARE || perOutput.length === 0)
    return [{ check, level: 'ok', found, advice: '' }]
  const holders = Number.isFinite(viewers) ? `${viewers} stalled viewers` : 'an unlimited number of stalled viewers'
  const most = Number.isFinite(worst) ? `up to ${mebibytes(worst)}` : 'an unbounded amount'
  const advice = `${holders} could hold ${most} of kernel memory, this machine has ${mebibytes(machine.memoryBytes)}: sysctl -w ${check}="4096 16384 1048576", or lower clients.max`
  return [{ check, level: 'warn', found, advice }]
}

function checkTcpRead(machine: Machine): readonly Finding[] {
  const value = thirdOf(machine.read('/proc/sys/net/ipv4/tcp_rmem'))
  if (value === undefined) return []
  const check = 'net.ipv4.tcp_rmem'
  const found = `up to ${mebibytes(value)} for each upstream`
  if (value >= MIB) return [{ check, level: 'ok', found, advice: '' }]
  const advice = `too small for distant upstreams, which will be slow: sysctl -w ${check}="4096 131072 6291456"`
  return [{ check, level: 'warn', found, advice }]
}

function thirdOf(text: string | undefined): number | undefined {
  const value = Number(text?.split(/\s+/)[2])
  return Number.isFinite(value) && value > 0 ? value : undefined
}

function mebibytes(bytes: number): string {
  return bytes < MIB ? `${Math.round(bytes / 1024)} KiB` : `${Number((bytes / MIB).toPrecision(4))} MiB`
}
