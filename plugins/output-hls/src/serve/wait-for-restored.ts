// Files that the process before has made, asked for while it is still being read which of them there are: the requests
// wait, since players leave out what they do not get.
import { type Exchange, respondText } from './exchange.js'
import type { HandlerParts } from './request-kind.js'

/** `find`: the file, at once or when everything is known. `answer`: undefined for what is not there. */
export function waitForRestored<T>(
  { request, response, visit }: Exchange,
  { presentation, waiting, settings }: HandlerParts,
  { find, answer }: { find(): T | undefined; answer(found: T | undefined): unknown },
): unknown {
  const found = find()
  if (found !== undefined || !presentation.isRestoring) return answer(found)
  const wait = { leave: (): void => undefined }
  const onClose = (): void => wait.leave()
  response.once('close', onClose)
  wait.leave = waiting.wait(settings.waitForMs, {
    address: visit.address,
    isReady: () => find() !== undefined || !presentation.isRestoring,
    go: () => {
      response.off('close', onClose)
      if (response.destroyed || response.writableEnded) return
      const late = find()
      if (late !== undefined || !presentation.isRestoring) void answerLate(() => answer(late), response)
      else respondText({ request, response, visit }, 503, 'the segments of the last run are still being read')
    },
  })
  return undefined
}

/** Nobody waits for its result any more. */
async function answerLate(answer: () => unknown, response: Exchange['response']): Promise<void> {
  try {
    await answer()
  } catch {
    response.destroy()
  }
}
