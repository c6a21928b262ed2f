// `npm run bench`: builds, then runs each test/bench/*.bench.ts in turn, alone on the machine as far as we can see to
// it. Arguments choose the files whose path contains one of them; those from the first that begins with -- on are
// handed to them: `npm run bench -- deliver --rounds 5`. Fails if one of them does, as when a budget is broken.
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
  // With the collector at hand, a bench can begin with a clean heap.
  const { code } = await runCommand([process.execPath, '--expose-gc', compiled, ...flags], { cwd: ROOT, show: true })
  if (code !== 0) failed.push(path)
}
if (failed.length > 0) fail(`bench failed: ${failed.join(', ')}`)
