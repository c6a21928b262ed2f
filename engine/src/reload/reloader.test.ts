import assert from 'node:assert/strict'
import { test } from 'node:test'
import { servingAt, Supervised } from './supervised.test.kit.js'

test('secrets of the running configuration stay masked, however many others the files had meanwhile', async () => {
  const env = Object.fromEntries(Array.from({ length: 9000 }, (_, index) => [`S${index}`, `value-${index}`]))
  const withSecrets = (from: number): string =>
    [
      servingAt('/a'),
      'secrets:',
      '  anna: { env: ANNA }',
      ...Array.from({ length: 3000 }, (_, index) => `  s${index}: { env: S${from + index} }`),
      '',
    ].join('\n')
  await using setting = await Supervised.start(`${servingAt('/a')}secrets: { anna: { env: ANNA } }\n`, {
    watch: false,
    options: () => ({ env: { ...env, ANNA: 'hunter2hunter2' } }),
  })
  for (const from of [0, 3000, 6000]) {
    await setting.files.write('live.yaml', withSecrets(from).replace('anna: { env: ANNA }', 'anna: { env: S0 }'))
    await setting.control.plan()
  }
  setting.engine.held = () => Promise.reject(new Error('cannot serve /hunter2hunter2'))
  await setting.files.write('live.yaml', servingAt('/b'))
  assert.match((await setting.control.reload()).why, /cannot serve \/\*\*\*/)
})
