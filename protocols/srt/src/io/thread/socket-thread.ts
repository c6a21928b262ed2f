// The thread of a socket, as it starts: binds the socket, and tells what became of it.
import process from 'node:process'
import { parentPort, workerData } from 'node:worker_threads'
import { SrtSocket } from '../srt-socket.js'
import { DrivenSocket } from './driven-socket.js'
import { originMs, plainError } from './thread-messages.js'
import type { FromThread, ThreadData, ToThread } from './thread-messages.js'

async function run(): Promise<void> {
  const { socket: options, originMs: programOriginMs } = workerData as ThreadData
  const post = (message: FromThread, transfer: ArrayBuffer[] = []): void => parentPort?.postMessage(message, transfer)
  let socket: SrtSocket
  try {
    socket = await SrtSocket.open(options)
  } catch (error) {
    post({ type: 'unbound', error: plainError(error) })
    parentPort?.close()
    return
  }
  const thread = new DrivenSocket(socket, {
    post,
    offsetMs: programOriginMs - originMs(),
    closed: () => parentPort?.close(),
  })
  parentPort?.on('message', (message: ToThread) => thread.take(message))
  const { address, receiveBufferBytes } = socket
  post({ type: 'bound', address: { ...address }, receiveBufferBytes })
}

if (parentPort === null) process.exitCode = 1
else await run()
