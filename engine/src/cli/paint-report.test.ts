import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keepStreams } from './cli-streams.test.kit.js'
import { paintedStreams } from './paint-report.js'

const TEXT = `error[CONFIG_X]: wrong
 --> a.yaml:3:4
  |
3 | error: { a: 1 }
  |    ^^
  = help: do it right
`

test('what is wrong, where and what to do are coloured where colours are shown, and only there', () => {
  const plain = keepStreams()
  paintedStreams(plain).err.write(TEXT)
  assert.equal(plain.errText(), TEXT)
  const coloured = keepStreams({ FORCE_COLOR: '1' })
  paintedStreams(coloured).err.write(TEXT)
  const marked = coloured
    .errText()
    .split('\u001b[')
    .join('<')
    .replaceAll(/<(\d+)m/g, '<$1>')
  assert.equal(
    marked,
    `<31>error[CONFIG_X]:<39> wrong
<2> --> a.yaml:3:4<22>
  |
3 | error: { a: 1 }
  |    <31>^^<39>
<36>  = help:<39> do it right
`,
  )
})
