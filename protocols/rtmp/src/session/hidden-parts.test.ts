import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hideParts } from './hidden-parts.js'

const CALL = {
  app: 'live?authmod=adobe&user=anna',
  tcUrl: 'rtmp://host/live?authmod=adobe&user=anna',
  name: 'studio/k3y-of%2Fthe-stream?token=s3cret-value&n=7',
  credentials: { user: 'anna', password: 'pass word' },
}

for (const [name, text, shown] of [
  ['the name as it was sent', 'no stream live/studio/k3y-of%2Fthe-stream', 'no stream live/***'],
  ['a part of it, decoded', 'key "k3y-of/the-stream" is unknown', 'key "***" is unknown'],
  ['other letters', 'K3Y-OF/THE-STREAM', '***'],
  ['the whole query', 'bad ?token=s3cret-value&n=7', 'bad ?***'],
  ['a value of it', 'bad token: s3cret-value.', 'bad token: ***.'],
  ['a part that was cut', 'bad token: s3cret-va...', 'bad token: ***...'],
  ['credentials', 'pass word of anna (pass%20word)', '*** of *** (***)'],
  ['a short value only as a word', '7 of 17 streams, n=7', '*** of 17 streams, n=***'],
  ['nothing of it', 'live: too many streams', 'live: too many streams'],
] as const) {
  test(`what a server says: ${name}`, () => assert.equal(hideParts(text, CALL), shown))
}
