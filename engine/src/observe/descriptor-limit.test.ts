import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { countDescriptors } from './descriptor-limit.js'

test('the size of the folder of descriptors counts them, unless it is that of any folder', () => {
  const open = readdirSync('/proc/self/fd').length - 1
  for (const size of [0, 512, 1024, 4096, 8192])
    assert.equal(
      countDescriptors(() => size),
      open,
      `${size}`,
    )
  assert.equal(
    countDescriptors(() => 37),
    37,
  )
  assert.equal(countDescriptors(), open)
})
