import assert from 'node:assert/strict'
import { test } from 'node:test'
import { maskUrlQueries } from './mask-url-queries.js'

for (const [text, masked] of [
  ['http://h/a?hdnts=exp=17~acl=/*~hmac=8a7b&x=1', 'http://h/a?hdnts=***&x=***'],
  ['https://h/a.m3u8?wmsAuthSign=c2Vy==&auth=Zm9v?x=2', 'https://h/a.m3u8?wmsAuthSign=***&auth=***'],
  ['http://h/a?%74oken=b#token=c', 'http://h/a?%74oken=***'],
  ['http://h/a?8a7b8a7b', 'http://h/a?***'],
  ['http://h/a?a=&b=2', 'http://h/a?a=&b=***'],
  ['srt://h:1?streamid=#!::r=live,u=bob&latency=120', 'srt://h:1?streamid=***&latency=***'],
  ['rtmp://u:p@h/app/name?a=b', 'rtmp://u:p@h/app/name?a=***'],
  ['curl "http://h/a?b=c" \'http://h/d?e\' | x?y=z', 'curl "http://h/a?b=***" \'http://h/d?***\' | x?y=z'],
  ['http://h/a', 'http://h/a'],
  ['what? a=b', 'what? a=b'],
] as const) {
  test(`${text} is shown as ${masked}`, () => assert.equal(maskUrlQueries(text), masked))
}

test('every text of plain data is masked, and nothing else', () => {
  assert.deepEqual(
    maskUrlQueries({ urls: ['http://h/?a=b'], count: 2, none: null, on: true, map: { u: 'a://b?c=d' } }),
    {
      ...{ urls: ['http://h/?a=***'], count: 2, none: null, on: true, map: { u: 'a://b?c=***' } },
    },
  )
})
