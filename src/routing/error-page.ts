import type { HCode } from './codes.ts';

export type ErrorPage = { readonly title: string; readonly text: string };

const APPLICATION_ERROR: ErrorPage = {
  title: 'Application error',
  text: 'An error occurred in the application and your page could not be served. If you are the application owner, check your logs for details.',
};

const PAGES: Partial<Record<HCode, ErrorPage>> = {
  H80: {
    title: 'Offline for Maintenance',
    text: 'This application is undergoing maintenance right now. Please check back later.',
  },
  H81: {
    title: 'Welcome',
    text: 'This application has no release yet. Push some code to it, and it will be served here.',
  },
};

export const NO_SUCH_APP: ErrorPage = {
  title: 'No such app',
  text: 'There is no app here: no app and no domain of that name is known to this peer.',
};

export const BAD_REQUEST: ErrorPage = {
  title: 'Bad request',
  text: 'This request could be understood in more than one way, or not at all, and was not served.',
};

export function pageForCode(code: HCode): ErrorPage {
  return PAGES[code] ?? APPLICATION_ERROR;
}

/** Unstyled HTML, as on Heroku. Nothing of the request is put in it, so that it needs no escaping. */
export function errorPageHtml(page: ErrorPage): string {
  return `<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${page.title}</title>
  </head>
  <body>
    <h1>${page.title}</h1>
    <p>${page.text}</p>
  </body>
</html>
`;
}
