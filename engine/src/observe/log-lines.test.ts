import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SecretMask } from '../graph/secret-mask.js'
import { createLog, nodeLog } from './log.js'
import { LogLines, linesOf } from './log-lines.js'

describe('the lines of a log', () => {
  test('are kept as JSON without secrets, also those of its descendants, and however they are written', () => {
    const secrets = new SecretMask()
    secrets.add('hunter22')
    const log = createLog({ level: 'info', secrets, pretty: true, stream: { write: () => undefined } })
    nodeLog(log, 'live/main').warn({ url: 'http://a/?key=hunter22' }, 'refused')
    log.debug('not of this level')
    const [line, ...more] = linesOf(nodeLog(log, 'live/ts')).recent()
    const { level, node, url, msg } = JSON.parse(line?.text ?? '') as Record<string, unknown>
    assert.deepEqual([line?.id, level, node, url, msg], [1, 'warn', 'live/main', 'http://a/?key=***', 'refused'])
    assert.deepEqual(more, [])
    assert.deepEqual(linesOf({}).recent(), [])
  })

  test('are bounded in number and in length; the oldest leave first', () => {
    const lines = new LogLines()
    for (let i = 0; i < 1500; i++) lines.push('{}\n')
    assert.deepEqual([lines.recent().length, lines.recent()[0]?.id], [1000, 501])
    const long = 'x'.repeat(16 * 1024)
    for (let i = 0; i < 200; i++) lines.push(long)
    assert.deepEqual([lines.recent().length, lines.recent().at(-1)?.id], [128, 1700])
    assert.deepEqual(
      lines.recent(1698).map(({ id }) => id),
      [1699, 1700],
    )
  })

  test('reach subscribers until these are disposed', () => {
    const lines = new LogLines()
    const seen: number[] = []
    const subscription = lines.subscribe(({ id }) => void seen.push(id))
    lines.push('{}\n')
    subscription[Symbol.dispose]()
    lines.push('{}\n')
    assert.deepEqual(seen, [1])
  })
})
