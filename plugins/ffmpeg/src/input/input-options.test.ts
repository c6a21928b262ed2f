import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { inputArguments } from './input-arguments.js'
import { inputOptions } from './input-options.js'
import { sourceKind } from './source-kind.js'

type Given = Parameters<typeof inputOptions.parse>[0]

function argumentsOf(given: Given): string {
  return inputArguments(inputOptions.parse(given)).join(' ')
}

for (const [given, kind, isRealtime] of [
  [{ url: 'film.mkv' }, 'file', true],
  [{ url: 'file:film.mkv' }, 'file', true],
  [{ url: 'C:\\film.mkv' }, 'file', true],
  [{ url: '-' }, 'stdin', true],
  [{ url: 'pipe:' }, 'stdin', true],
  [{ url: 'pipe:0', realtime: false }, 'stdin', false],
  [{ url: 'testsrc', format: 'lavfi', video: 'h264', audio: 'none' }, 'generated', true],
  [{ url: 'rtsp://a/b' }, 'live', false],
  [{ url: 'https://a/b.m3u8' }, 'live', false],
  [{ url: 'https://a/b.mp4', realtime: true }, 'live', true],
  [{ url: '-', format: 'auto' }, 'stdin', true],
  [{ url: '/dev/video0', format: 'v4l2', video: 'h264', audio: 'none' }, 'live', false],
  [{ url: ':0.0', format: 'x11grab', video: 'h264', audio: 'none' }, 'live', false],
] as const) {
  test(`${given.url} is ${kind}`, () => {
    assert.equal(sourceKind(inputOptions.parse(given)), kind)
    assert.equal(inputArguments(inputOptions.parse(given)).includes('-re'), isRealtime)
  })
}

test('the options stand in front of the source, those of encoders behind it, and only stdout is written', () => {
  assert.equal(
    argumentsOf({
      url: 'a.mkv',
      format: 'matroska',
      loop: true,
      video: 'h264',
      videoRate: '2Mb/s',
      audio: 'aac',
      gop: '1s',
      map: ['0:v:0', '0:a:1?'],
      inputArgs: ['-ss', 10],
      outputArgs: ['-vf', 'scale=-2:360'],
    }),
    '-re -stream_loop -1 -f matroska -ss 10 -i a.mkv' +
      ' -map 0:v:0 -map 0:a:1? -c:v libx264 -pix_fmt yuv420p -preset veryfast -g:v 100000' +
      ' -force_key_frames:v expr:if(isnan(prev_forced_t),1,not(eq(floor((t+0.001)/1),floor((prev_forced_t+0.001)/1))))' +
      ' -sc_threshold:v 0 -forced-idr:v 1 -flags:v +cgop -b:v 2000000 -maxrate 2000000 -bufsize 2000000' +
      ' -c:a aac -b:a 128000 -sn -dn -vf scale=-2:360' +
      ' -muxdelay 0 -muxpreload 0 -flush_packets 1 -f mpegts pipe:1',
  )
})

for (const [given, message] of [
  [{ url: '-x' }, /must not begin with -/],
  [{ url: '' }, /must be a URL, or the name/],
  [{ url: 'a', format: '-f' }, /name of a format/],
  [{ url: 'a', map: ['1:v'] }, /stream of the source/],
  [{ url: 'a', video: 'none', audio: 'none' }, /nothing would be left/],
  [{ url: '-', loop: true }, /stdin/],
  [{ url: 'rtsp://a/b', loop: true }, /not a file/],
  [{ url: 'a', videoRate: '1Mb/s' }, /left out/],
  [{ url: 'a', audioRate: '64kb/s' }, /left out/],
  [{ url: 'testsrc', format: 'lavfi', audio: 'none' }, /raw pictures/],
  [{ url: 'testsrc', format: 'lavfi', video: 'h264' }, /raw sound/],
  [{ url: 'a', inputArgs: ['-i', 'b'] }, /-i/],
] as const) {
  test(`refuses ${JSON.stringify(given)}`, () => {
    const { error } = inputOptions.safeParse(given)
    assert.match(error?.message ?? '', message)
  })
}

test('whatever the options are, there is one source, and nothing but stdout is written', () => {
  const text = fc.oneof(fc.string({ minLength: 1, maxLength: 12 }), fc.constantFrom('-i', '-y', 'pipe:1', '--', '- x'))
  const given = fc.record({
    url: text,
    format: fc.option(text, { nil: undefined }),
    map: fc.array(text, { maxLength: 3 }),
    inputArgs: fc.array(text, { maxLength: 4 }),
    outputArgs: fc.array(text, { maxLength: 4 }),
  })
  fc.assert(
    fc.property(given, (options) => {
      const { data } = inputOptions.safeParse(options)
      if (data === undefined) return
      const args = inputArguments(data)
      const at = args.indexOf('-i')
      assert.equal(args[at + 1], /^(?:-|pipe:0?|fd:0?)$/i.test(options.url) ? 'pipe:0' : options.url)
      assert.deepEqual(args.slice(-3), ['-f', 'mpegts', 'pipe:1'])
    }),
    { numRuns: 1000 },
  )
})
