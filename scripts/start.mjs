// `npm start`: installs and builds what is missing, then runs the example channel in this process, so that a signal to
// `npm start` reaches the engine. Arguments are passed on: `npm start -- --no-watch`.
import { join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, install, requireNode } from './prepare.mjs'
import { ROOT } from './repository.mjs'

requireNode()
await install()
await build()

const engine = join(ROOT, 'engine/bin/engine.js')
const pipeline = relative(process.cwd(), join(ROOT, 'pipelines/live.yaml'))
process.argv = [process.execPath, engine, 'run', '--log-format', 'text', pipeline, ...process.argv.slice(2)]
await import(pathToFileURL(engine).href)
