import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { encoderCommand } from './encoder-command.js'
import { faultOfNodeArguments } from './node-arguments.js'
import { renditionsOf } from './rendition.js'
import { transcodeOptions } from './transcode-options.js'

describe('further options of a rendition', () => {
  for (const [args, fault] of [
    [['-bf', '0', '-metadata', '-g', '-x264-params', 'ref=3:me=hex'], undefined],
    [['-g', '10'], /^must not hold -g, which the node sets$/],
    [['-g:v:0', '10'], /-g:v:0/],
    [['-force_key_frames', '0,1'], /-force_key_frames/],
    [['-c:v', 'libx265'], /-c:v/],
    [['-codec:a', 'mp2'], /-codec:a/],
    [['-vcodec', 'mpeg2video'], /-vcodec/],
    [['-t', '10'], /-t,/],
    [['-frames:v', '10'], /-frames:v/],
    [['-streamid', '0:33'], /-streamid/],
    [['-shortest'], /-shortest/],
    [['-an'], /-an/],
    [['-fps_mode', 'cfr'], /-fps_mode/],
    [['-sc_threshold', '40'], /-sc_threshold/],
    [['-bf', '0', '-x264-params', 'ref=3:keyint=10'], /^must not set keyint in -x264-params/],
    [['-x264opts:v', 'min_keyint=1'], /min-keyint/],
    [['-x265-params', 'scenecut=40'], /scenecut/],
    [['-x265-params', "'open-gop'=1"], /open-gop/],
    [['-x265-params', 'ref=3:no-open-gop=0'], /^must not set open-gop in/],
    [['-x264-params', 'nointra-refresh=0'], /intra-refresh/],
    [['-x264opts', 'no_scenecut=0'], /scenecut/],
    [['-x264-params', 'no-mbtree=1:nr=100'], undefined],
  ] as const) {
    test(`${args.join(' ')}: ${fault === undefined ? 'may be set' : 'are not for it to set'}`, () => {
      const found = faultOfNodeArguments(args)
      if (fault === undefined) assert.equal(found, undefined)
      else assert.match(found ?? '', fault)
      const { success } = transcodeOptions.safeParse({ renditions: { a: { extraArgs: [...args] } } })
      assert.equal(success, fault === undefined)
    })
  }

  test('parameters of libx265 join those of the node', () => {
    const extraArgs = ['-x265-params', 'ref=3', '-bf', '2']
    const options = transcodeOptions.parse({ renditions: { a: { codec: 'h265', extraArgs } } })
    const source = { hasVideo: true, audio: [], picture: { width: 320, height: 180 }, pts90k: 0 }
    const { args } = encoderCommand(options, renditionsOf(options), source, ['ffmpeg'])
    const lists = args.filter((_, at) => args[at - 1]?.startsWith('-x265-params'))
    assert.deepEqual(lists, ['scenecut=0:open-gop=0:keyint=-1:log-level=warning:ref=3'])
    assert.equal(args[args.indexOf('-bf') + 1], '2')
  })
})
