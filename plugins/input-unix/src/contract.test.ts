import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { contract } from '@millrace/engine/testing'
import input from './index.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-contract-'))
const path = join(folder, 'live.sock')
const silent = join(folder, 'silent.sock')
const server = createServer((socket) => void socket.on('error', () => undefined)).unref()
await new Promise<void>((resolve) => server.listen(silent, resolve))
after(() => {
  server.close()
  rmSync(folder, { recursive: true })
})

contract(input, {
  options: { path },
  live: { permissions: '600' },
  refused: [
    { path: '-' },
    { path: `/${'x'.repeat(107)}` },
    { path: 'a.sock', permissions: '660x' },
    { path: 'a.sock', permissions: 660 },
  ],
  send: async (bytes) =>
    new Promise((resolve) => {
      const writer = connect(path, () => writer.end(bytes))
      writer.on('error', () => undefined).once('close', () => resolve())
    }),
})
