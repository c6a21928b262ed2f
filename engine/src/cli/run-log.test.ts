import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { attachDashboard } from './attached-dashboard.js'
import { RunLog } from './run-log.js'

test('the log of a run goes on in a new file when it is full, and the log of before is kept beside it', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-run-log-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'state', 'run.log')
  new RunLog(path).write('the run before\n')
  const log = new RunLog(path, 20)
  assert.equal(readFileSync(`${path}.1`, 'utf8'), 'the run before\n')
  for (const line of ['first line\n', 'next line\n', 'newest\n']) log.write(line)
  assert.deepEqual(
    [readFileSync(`${path}.1`, 'utf8'), readFileSync(path, 'utf8')],
    ['first line\n', 'next line\nnewest\n'],
  )
  assert.deepEqual(readdirSync(join(folder, 'state')).toSorted(), ['run.log', 'run.log.1'])
})

test('run --tui without a terminal is a run without a dashboard, which is said', () => {
  const said: string[] = []
  const stream = { write: (text: string) => said.push(text) > 0 }
  assert.equal(attachDashboard({ out: stream, err: stream, env: {} }), undefined)
  assert.deepEqual(said, ['warning: --tui needs a terminal on stdin and stdout; running without it\n'])
})
