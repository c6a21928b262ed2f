import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { shownCommand } from './shown-command.js'

describe('a command line in the status', () => {
  test('is quoted as it would be typed', () => {
    const command = ['/usr/bin/ffmpeg', '-i', 'a film.mkv', '-vf', 'scale=-2:720', '', "it's"]
    assert.equal(shownCommand(command), `/usr/bin/ffmpeg -i 'a film.mkv' -vf scale=-2:720 '' "it's"`)
  })

  test('has secrets as they are or as JSON writes them, so that they are masked', () => {
    const secret = String.raw`a'b"c\d`
    assert.ok(shownCommand(['ffmpeg', `rtsp://joe:${secret}@a`]).includes(JSON.stringify(secret).slice(1, -1)))
  })

  test('is cut between arguments', () => {
    const shown = shownCommand(['ffmpeg', ...Array.from({ length: 50 }, () => 'x'.repeat(1000))])
    assert.match(shown, /^ffmpeg (x{1000} ){16}\.\.\.$/)
  })
})
