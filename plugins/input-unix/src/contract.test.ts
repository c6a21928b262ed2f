import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { contract } from '@millrace/engine/testing'
import input from './index.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-contract-'))
after(() => rmSync(folder, { recursive: true }))

contract(input, {
  options: { path: join(folder, 'live.sock') },
  refused: [
    { path: '-' },
    { path: `/${'x'.repeat(107)}` },
    { path: 'a.sock', permissions: '660x' },
    { path: 'a.sock', permissions: 660 },
  ],
})
