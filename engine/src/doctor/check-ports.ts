// Whether the addresses of the listeners are free, by binding each briefly; and which process holds one that is not.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { createSocket } from 'node:dgram'
import { createServer, isIPv6 } from 'node:net'
import { parseBindAddress } from '../listen/bind-address.js'
import type { Demand, Finding } from './finding.js'

/** States in /proc/net: of a listening TCP socket, and of an unconnected UDP socket. */
const BOUND = ['0A', '07']

export async function checkPorts({ listeners }: Demand): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  // One after the other: two of them may be the same port on addresses that overlap.
  for (const [name, address, transport = 'tcp'] of listeners) findings.push(await checkPort(name, address, transport))
  return findings
}

async function checkPort(name: string, address: string, transport: 'tcp' | 'udp'): Promise<Finding> {
  const { host, port } = parseBindAddress(address)
  const check = `listener ${name}`
  if (port === 0) return { check, level: 'ok', found: `${address}, any free port`, advice: '' }
  const error = await (transport === 'tcp' ? tryBind(host, port) : tryBindDatagrams(host, port))
  if (error === undefined) return { check, level: 'ok', found: `${address} is free`, advice: '' }
  if (error.code === 'EADDRINUSE') {
    const advice = 'stop the process that holds it, or choose another port'
    return { check, level: 'fail', found: `${address} is taken${holderOf(port, transport)}`, advice }
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

function tryBindDatagrams(host: string, port: number): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
    const done = (error?: NodeJS.ErrnoException): void => {
      socket.close(() => resolve(error))
    }
    socket.once('error', done)
    socket.bind({ address: host, port, exclusive: true }, () => done())
  })
}

/** ` by node (process 123)`; empty if it can't be determined. */
function holderOf(port: number, transport: 'tcp' | 'udp'): string {
  try {
    const inodes = [`/proc/net/${transport}`, `/proc/net/${transport}6`].flatMap((file) => boundInodes(file, port))
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
function boundInodes(file: string, port: number): readonly string[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(
      ([, local = '', , state = '']) =>
        BOUND.includes(state) && Number.parseInt(local.split(':')[1] ?? '', 16) === port,
    )
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
