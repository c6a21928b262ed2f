// Ports for programs that can't choose one themselves, and whether they listen there.
import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'

const HOST = '127.0.0.1'
const LOWEST = 10_000
const MOST_ATTEMPTS = 100

/**
 * The kernel gives a port of its own range to whoever asks for any: one from there could be somebody else's before the
 * program listens.
 */
export function freePort(): Promise<number> {
  return firstFree(async (port) => {
    const server = createServer().listen(port, HOST)
    await once(server, 'listening')
    const bound = (server.address() as AddressInfo).port
    server.close()
    await once(server, 'close')
    return bound
  })
}

export function freeUdpPort(): Promise<number> {
  return firstFree(async (port) => {
    const socket = createSocket('udp4').bind(port, HOST)
    await once(socket, 'listening')
    const bound = socket.address().port
    socket.close()
    await once(socket, 'close')
    return bound
  })
}

/** `bind` rejects for a port in use. */
async function firstFree(bind: (port: number) => Promise<number>): Promise<number> {
  const range = await readFile('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')
  const kernels = Number.parseInt(range, 10)
  for (let attempt = 0; attempt < MOST_ATTEMPTS && kernels > LOWEST; attempt++) {
    const port = await bind(randomInt(LOWEST, kernels)).catch(() => undefined)
    if (port !== undefined) return port
  }
  return bind(0)
}

export async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, HOST)
  try {
    await once(socket, 'connect')
    return true
  } finally {
    socket.destroy()
  }
}

/** Without connecting to it: a program may take one connection only. */
export async function isBound(port: number): Promise<boolean> {
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  return new RegExp(`:${hex} [0-9A-F]+:0000 0A `).test(await readFile('/proc/net/tcp', 'utf8'))
}
