import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KernelDrops } from './kernel-drops.js'

const UDP = [
  '   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops',
  '  101: 0100007F:1389 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1 2 0000000000000000 7',
  '  102: 0100007F:138A 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 2 2 0000000000000000 1',
  '  103: 0100007F:1389 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 3 2 0000000000000000 2',
].join('\n')
const UDP6 =
  '  9: 000080FE00000000FF005450B6AD1DFE:1389 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 1 2 0000000000000000 5'

function made(): { drops: KernelDrops; reads: string[]; wait(ms: number): void } {
  const reads: string[] = []
  let nowMs = 0
  const read = (path: string): string => {
    reads.push(path)
    if (path === '/proc/net/udp') return UDP
    if (nowMs > 0) throw new Error('ENOENT')
    return UDP6
  }
  return { drops: new KernelDrops(() => nowMs, read), reads, wait: (ms) => void (nowMs += ms) }
}

test('drops are those of all sockets that are bound to the address', () => {
  const { drops } = made()
  assert.equal(drops.of({ host: '127.0.0.1', port: 5001 }), 9)
  assert.equal(drops.of({ host: '127.0.0.1', port: 5002 }), 1)
  assert.equal(drops.of({ host: '127.0.0.1', port: 5003 }), 0)
  assert.equal(drops.of({ host: 'fe80::5054:ff:fe1d:adb6', port: 5001 }), 5)
})

test('any number of inputs that are asked at once cost one reading', () => {
  const { drops, reads, wait } = made()
  for (let port = 5001; port < 5301; port++) drops.of({ host: '127.0.0.1', port })
  assert.deepEqual(reads, ['/proc/net/udp'])
  wait(1000)
  assert.equal(drops.of({ host: '127.0.0.1', port: 5001 }), 9)
  assert.equal(reads.length, 2)
})

test('a system that does not say it has none', () => {
  const { drops, wait } = made()
  wait(1)
  assert.equal(drops.of({ host: '::1', port: 5001 }), 0)
})
