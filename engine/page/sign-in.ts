// The form that takes the token of the control API, and gives it to the engine for a cookie. It is kept nowhere here.
import { ApiFailure, ask } from './api-client.js'
import { element, setText } from './dom.js'

/** `onDone`: somebody has signed in. */
export function signInForm(onDone: () => void): HTMLElement {
  const token = element('input', { type: 'password', autocomplete: 'current-password', required: true, id: 'token' })
  const button = element('button', { type: 'submit' }, 'Sign in')
  const trouble = element('p', { class: 'trouble', role: 'alert' })
  const hint = element(
    'p',
    { class: 'quiet', id: 'token-hint' },
    'It is in the file ',
    element('code', {}, 'api.token'),
    ' in the state folder of the engine.',
  )
  token.setAttribute('aria-describedby', 'token-hint')
  const form = element(
    'form',
    { class: 'sign-in' },
    element('h2', {}, 'Sign in'),
    element('label', { for: 'token' }, 'Token of the control API'),
    token,
    hint,
    trouble,
    button,
  )
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    button.disabled = true
    setText(trouble, '')
    ask('POST', 'session', { token: token.value.trim() })
      .then(onDone, (error: unknown) => {
        const isWrong = error instanceof ApiFailure && error.status === 401
        setText(trouble, isWrong ? 'This is not the token of this engine.' : `It did not work: ${String(error)}`)
        token.select()
      })
      .finally(() => (button.disabled = false))
  })
  return form
}
