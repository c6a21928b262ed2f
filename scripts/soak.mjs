// `npm run soak -- --minutes 60 --seed N`: builds, then edits the configuration of a running engine at random while
// viewers watch, and fails as soon as a viewer loses anything that no reload plan announced. Arguments are passed on.
import { join } from 'node:path'
import process from 'node:process'
import { build, install, requireNode } from './prepare.mjs'
import { ROOT } from './repository.mjs'
import { runCommand } from './run-command.mjs'

requireNode()
await install()
await build()
const soak = join(ROOT, 'test/dist/soak/soak-command.js')
const { code } = await runCommand([process.execPath, soak, ...process.argv.slice(2)], { cwd: ROOT, show: true })
process.exitCode = code ?? 1
