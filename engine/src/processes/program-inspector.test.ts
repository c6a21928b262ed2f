import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { isAlive, until } from './processes.test.kit.js'
import { ProgramInspector } from './program-inspector.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-inspect-'))
after(() => rmSync(folder, { recursive: true }))

function script(name: string, body: string): string {
  const file = join(folder, name)
  writeFileSync(file, `#!/bin/sh\n${body}\n`)
  chmodSync(file, 0o755)
  return file
}

describe('a program', () => {
  test('is asked once for the same thing, until its file changes', async () => {
    const log = join(folder, 'log')
    const file = script('counts', `echo x >> ${log}; echo "one $1"`)
    const ask = new ProgramInspector().of(file)
    assert.deepEqual(await Promise.all([ask(['-a']), ask(['-a']), ask(['-b'])]), ['one -a\n', 'one -a\n', 'one -b\n'])
    assert.equal(readFileSync(log, 'utf8'), 'x\nx\n')
    script('counts', 'echo "two, in a longer file $1"')
    assert.equal(await ask(['-a']), 'two, in a longer file -a\n')
  })

  for (const [name, body] of [
    ['fails', 'echo a; exit 3'],
    ['is not a program', 'exec /no/such/program'],
    ['kills itself', 'kill -9 $$'],
    ['writes more than anyone reads', 'exec cat /dev/zero'],
  ] as const) {
    test(`says nothing if it ${name}`, async () => {
      assert.equal(await new ProgramInspector().of(script('bad', body))([]), undefined)
    })
  }

  test('is killed with what it has started if it takes too long, and is asked again', async () => {
    const pids = join(folder, 'pids')
    const file = script('slow', `sleep 1000 & echo $! > ${pids}; wait`)
    const ask = new ProgramInspector(500).of(file)
    /** Asks until the script has come so far: on a busy machine it may be killed before. */
    const started = async (): Promise<number> => {
      for (let attempt = 0; attempt < 60; attempt++) {
        assert.equal(await ask([]), undefined)
        const pid = existsSync(pids) ? Number(readFileSync(pids, 'utf8')) : 0
        if (pid > 0) return pid
      }
      return assert.fail('the script has not come so far within 60 times 500 ms')
    }
    const pid = await started()
    await until(() => !isAlive(pid), 'its child is gone')
    rmSync(pids)
    assert.notEqual(await started(), pid)
  })

  test('that is missing says nothing', async () => {
    assert.equal(await new ProgramInspector().of(join(folder, 'nothing'))([]), undefined)
  })
})
