import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { after } from 'node:test'
import { buildTs, contract } from '@millrace/engine/testing'
import input from './index.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-contract-'))
const path = join(folder, 'pipe')
execFileSync('mkfifo', [path])
after(() => rmSync(folder, { recursive: true }))

/** A pipe: bytes that a socket brings, and the end of its writer. */
contract(input, {
  options: { path },
  refused: [{ path: '' }],
  async work({ context }) {
    const writer = await open(path, 'w')
    await writer.write(buildTs({ durationS: 1 }).bytes.subarray(0, 188 * 100))
    await writer.close()
    while (!context.reported.some((word) => word.startsWith('degraded'))) await setImmediate()
  },
})
