// Requests for the player page, at the folder itself, and for its files.
import { respondText } from '../exchange.js'
import type { RequestKind } from '../request-kind.js'
import { PAGE_FOLDER } from './player-page.js'

export const page: RequestKind = {
  has: (name) => name === '',
  answer(exchange, _name, { page: served }) {
    if (served === undefined) return respondText(exchange, 404, 'there is no page')
    return served.page.send(exchange, served.content())
  },
}

export const pageFiles: RequestKind = {
  has: (name) => name.startsWith(PAGE_FOLDER),
  // The browser asks for them without the token in the address of the page. Nothing in them is secret.
  isOpen: () => true,
  answer(exchange, name, { page: served }) {
    if (served === undefined) return respondText(exchange, 404, 'there is no page')
    return served.page.sendFile(exchange, name.slice(PAGE_FOLDER.length))
  },
}
