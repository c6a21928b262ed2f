// Whether the addresses of listeners and of nodes are free, by binding each briefly; and which process holds one that is not.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { createSocket } from 'node:dgram'
import { createServer, isIPv6 } from 'node:net'
import { parseBindAddress } from '../listen/bind-address.js'
import type { Demand, Finding } from './finding.js'

type Protocol = 'tcp' | 'udp'

/** State of a socket that receives, in /proc/net/tcp and /proc/net/udp. */
const BOUND = { tcp: '0A', udp: '07' } as const

export async function checkPorts({ listeners, udpAddresses }: Demand): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  // One after the other: two of them may be the same port on addresses that overlap.
  for (const [name, address, transport = 'tcp'] of listeners) {
    findings.push(await checkPort(`listener ${name}`, address, transport))
  }
  for (const [node, address] of udpAddresses) findings.push(await checkPort(`UDP of ${node}`, address, 'udp'))
  return findings
}

async function checkPort(check: string, address: string, protocol: Protocol): Promise<Finding> {
  const { host, port } = parseBindAddress(address)
  if (port === 0) return { check, level: 'ok', found: `${address}, any free port`, advice: '' }
  const error = await (protocol === 'tcp' ? tryBind(host, port) : tryBindUdp(host, port))
  if (error === undefined) return { check, level: 'ok', found: `${address} is free`, advice: '' }
  if (error.code === 'EADDRINUSE') {
    const advice = 'stop the process that holds it, or choose another port'
    return { check, level: 'fail', found: `${address} is taken${holderOf(port, protocol)}`, advice }
  }
  if (error.code === 'EACCES') {
    const advice = 'choose a port from 1024 up, or grant the service CAP_NET_BIND_SERVICE'
    return { check, level: 'fail', found: `${address}: permission denied`, advice }
  }
  if (error.code === 'EADDRNOTAVAIL') {
    const advice = 'use an address of this machine, or 0.0.0.0 for all of them'
    return { check, level: 'fail', found: `${address} is not an address of this machine`, advice }
  }
  return { check, level: 'fail', found: `${address}: ${error.message}`, advice: 'choose another address' }
}

function tryBind(host: string, port: number): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', resolve)
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)))
  })
}

function tryBindUdp(host: string, port: number): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
    socket.once('error', (error) => {
      socket.close()
      resolve(error)
    })
    socket.bind({ address: host, port, exclusive: true }, () => socket.close(() => resolve(undefined)))
  })
}

/** ` by node (process 123)`; empty if it can't be determined. */
function holderOf(port: number, protocol: Protocol): string {
  try {
    const files = [`/proc/net/${protocol}`, `/proc/net/${protocol}6`]
    const inodes = files.flatMap((file) => boundInodes(file, port, BOUND[protocol]))
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      if (!holdsAny(pid, inodes)) continue
      const name = readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
      return ` by ${name} (process ${pid})`
    }
  } catch {
    // No /proc, or a process that has just gone.
  }
  return ''
}

/**
 * Columns of /proc/net/tcp: sl, local address in hexadecimal, remote, state, queues, timers, retransmits, uid, timeout,
 * inode.
 */
function boundInodes(file: string, port: number, bound: string): readonly string[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local = '', , state]) => state === bound && Number.parseInt(local.split(':')[1] ?? '', 16) === port)
    .flatMap(([, , , , , , , , , inode]) => inode ?? [])
}

/** Processes of other users can't be inspected. */
function holdsAny(pid: string, inodes: readonly string[]): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((descriptor) => {
      const target = readlinkSync(`/proc/${pid}/fd/${descriptor}`)
      return inodes.some((inode) => target === `socket:[${inode}]`)
    })
  } catch {
    return false
  }
}
