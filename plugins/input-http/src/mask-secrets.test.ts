import assert from 'node:assert/strict'
import { test } from 'node:test'
import { maskSecrets } from './mask-secrets.js'
import { showText } from './show-text.js'

const cases = [
  { name: 'a secret, each time', secrets: ['hunter2'], text: 'hunter2 and hunter2', masked: '*** and ***' },
  { name: 'what a cut has left of it', secrets: ['hunter2'], text: '"no hunt…"', masked: '"no ***…"' },
  {
    name: 'what has arrived of it',
    secrets: ['hunter2'],
    text: 'it begins with "no hunt"',
    masked: 'it begins with "no ***"',
  },
  { name: 'what the upstream has left of it', secrets: ['hunter2'], text: 'no hunt', masked: 'no ***' },
  { name: 'one that contains another', secrets: ['hunt', 'hunter2'], text: 'hunter2', masked: '***' },
  { name: 'one in lower case', secrets: ['Hunter2'], text: '"text/hunter2"', masked: '"text/***"' },
  { name: 'no short text', secrets: ['text'.slice(0, 3)], text: 'a text…', masked: 'a text…' },
]
for (const { name, secrets, text, masked } of cases) {
  test(`a mask hides ${name}`, () => assert.equal(maskSecrets(text, secrets), masked))
}

test('a mask hides a secret in the form in which text of an upstream is shown', () => {
  for (const secret of ['a"b\\c"d', 'pässwörd', 'schlüssel', '日本語 key']) {
    const bytes = Buffer.from(secret, 'utf8').toString('latin1')
    for (const shown of [showText(`for ${secret}`), showText(`for ${bytes}`)]) {
      assert.equal(maskSecrets(shown, [secret]), '"for ***"', shown)
    }
  }
})
