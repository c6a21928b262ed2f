// node-media-server in a process of its own: the port, then its relay tasks as JSON. Started by `media-server.ts`.
import { createRequire } from 'node:module'
import process from 'node:process'

interface Server {
  readonly relayServer: { addTask(task: unknown): void }
  run(): Promise<void>
  on(event: 'postPublish', listener: (session: { readonly streamPath: string }) => void): void
}

interface Task {
  readonly mode: string
  readonly streamPath: string
}

const require = createRequire(import.meta.url)
const NodeMediaServer = require('node-media-server') as new (config: unknown) => Server
const [port, path, ...tasks] = process.argv.slice(2)
const server = new NodeMediaServer({ bind: '127.0.0.1', rtmp: { port: Number(port) }, store: { path } })
await server.run()
const list = tasks.map((task) => JSON.parse(task) as Task)
for (const task of list) if (task.mode === 'pull') server.relayServer.addTask(task)
// It drops a task to push what is not there.
server.on('postPublish', ({ streamPath }) => {
  for (const task of list) if (task.mode === 'push' && task.streamPath === streamPath) server.relayServer.addTask(task)
})
process.stdout.write('the relay tasks are set\n')
