import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { test } from 'node:test'
import fc from 'fast-check'
import { faultOfArguments } from './argument-rules.js'

for (const args of [
  [],
  ['-rtsp_transport', 'tcp'],
  ['-framerate', '30', '-video_size', '1280x720', '-copyts'],
  ['-vf', 'scale=-2:720', '-b:v:0', '-1'],
  ['-an'],
  ['-ca_file', 'ca.pem', '-cert_file', 'own.pem', '-key_file', 'own.key', '-tls_verify', '1'],
]) {
  test(`allows ${JSON.stringify(args)}`, () => assert.equal(faultOfArguments(args), undefined))
}

for (const [args, fault] of [
  [['out.ts'], /"out\.ts" is not one/],
  [['-re', 'out.ts'], /"out\.ts" is not one/],
  [['-nore', 'out.ts'], /"out\.ts" is not one/],
  [['-rtsp_transport'], /a value/],
  [['-i', '/etc/passwd'], /-i/],
  [['-f', 'mpegts', 'x'], /-f/],
  [['-map', '0'], /-map/],
  [['-/vf', 'file'], /is not one/],
  [['--', 'x'], /is not one/],
  [['-'], /is not one/],
  [[''], /is not one/],
  [['-nostdin'], /-nostdin/],
  [['-noy', 'x'], /-noy/],
  [['-progress', '/tmp/x'], /-progress/],
  [['-attach', '/etc/passwd'], /-attach/],
  [['-dump_attachment:t:0', 'x'], /-dump_attachment/],
  [['-protocol_whitelist', 'file'], /-protocol_whitelist/],
  [['-version'], /-version/],
  [['-private_key', '/root/.ssh/id_rsa'], /-private_key/],
  [['-assetmaps', '/tmp/ASSETMAP.xml'], /-assetmaps/],
  [['-sub_name', '/tmp/x.sub'], /-sub_name/],
  [['-use_absolute_path', '1'], /-use_absolute_path/],
  [['-enable_drefs', '1'], /-enable_drefs/],
] as const) {
  test(`refuses ${JSON.stringify(args)}`, () => assert.match(faultOfArguments(args) ?? '', fault))
}

// `-h long` lists the options of the program itself: those with a value have its name behind them.
test('every option of the installed FFmpeg without a value is known', async () => {
  const help = execFileSync('ffmpeg', ['-hide_banner', '-h', 'long'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const rows = [...help.matchAll(/^-(\S+)( \S+)? {2,}/gm)]
  assert.ok(rows.length > 100, `${rows.length} options`)
  const taken = rows.flatMap(([, name = '', value]) => {
    if (value !== undefined) return []
    return faultOfArguments([`-${name}`, 'out.ts']) === undefined ? [name] : []
  })
  // Some have a value that the help does not show.
  const flags = await Promise.all(taken.map(async (name) => ((await takesValue(name)) ? [] : [name])))
  assert.deepEqual(flags.flat(), [])
})

/** What it says when the option is the last argument. */
function takesValue(name: string): Promise<boolean> {
  return new Promise((resolve) => {
    execFile('ffmpeg', ['-hide_banner', `-${name}`], (_error, _stdout, stderr) => {
      resolve(/Missing argument for option|requires? an? argument/.test(stderr))
    })
  })
}

test('whatever is allowed has an option in front of each value, and no further input or output', () => {
  const word = fc.oneof(
    fc.constantFrom(
      '-re',
      '-nore',
      '-an',
      '-i',
      '-y',
      '-f',
      '-vf',
      '-copyts',
      '-b:v',
      '-x',
      'out.ts',
      '-',
      '--',
      '-novf',
    ),
    fc.string({ maxLength: 8 }),
    fc.string({ maxLength: 8 }).map((text) => `-${text}`),
  )
  const flags = new Set(['-re', '-nore', '-an', '-copyts', '-noan', '-nocopyts'])
  fc.assert(
    fc.property(fc.array(word, { maxLength: 8 }), (args) => {
      if (faultOfArguments(args) !== undefined) return
      for (let at = 0; at < args.length; at++) {
        const option = args[at] ?? ''
        assert.match(option, /^-[a-zA-Z?][\w:#-]*$/)
        assert.ok(!['-i', '-y', '-f'].includes(option))
        if (!flags.has(option) && isValued(option)) at++
      }
    }),
    { numRuns: 2000 },
  )
})

/** By the rules: alone it is refused for want of a value. */
function isValued(option: string): boolean {
  return /a value/.test(faultOfArguments([option]) ?? '')
}
