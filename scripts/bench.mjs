// `npm run bench`: builds, then runs each test/bench/*.bench.ts one at a time, so that none disturbs another. Arguments
// select the files whose path contains one of them. The first argument that begins with -- and all after it are passed
// to the benches: `npm run bench -- deliver --rounds 5`. Fails if a bench fails, for example because a budget is
// exceeded.
import { join } from 'node:path'
import { build, fail, install, requireNode } from './prepare.mjs'
import { ROOT, listFiles } from './repository.mjs'
import { runCommand } from './run-command.mjs'

requireNode()
await install()
await build()

const args = process.argv.slice(2)
const flagsAt = args.findIndex((arg) => arg.startsWith('--'))
const filters = flagsAt < 0 ? args : args.slice(0, flagsAt)
const flags = flagsAt < 0 ? [] : args.slice(flagsAt)
const files = listFiles('test/bench', (path) => path.endsWith('.bench.ts')).filter(
  (path) => filters.length === 0 || filters.some((part) => path.includes(part)),
)
if (files.length === 0) fail(`millrace: no bench matches ${filters.join(' ') || 'anything'}`)

const failed = []
for (const path of files) {
  console.log(`\n${path}`)
  const compiled = join(ROOT, path.replace('test/', 'test/dist/').replace(/\.ts$/, '.js'))
  // With the garbage collector exposed, a bench can start with a clean heap.
  const { code } = await runCommand([process.execPath, '--expose-gc', compiled, ...flags], { cwd: ROOT, show: true })
  if (code !== 0) failed.push(path)
}
if (failed.length > 0) fail(`bench failed: ${failed.join(', ')}`)
