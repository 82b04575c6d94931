/** What the log says of a request that the router itself had to answer or break off. */
export type CodeInfo = {
  readonly desc: string;
  /** What the client gets, and the log's `status`. */
  readonly status: number;
  readonly at: 'error' | 'warning' | 'info';
  /** Which side broke off, where the log names one. */
  readonly sock?: 'client' | 'backend';
  readonly cause?: string;
};

/** Heroku's words and numbers. https://devcenter.heroku.com/articles/error-codes */
export const CODES = {
  H10: { desc: 'App crashed', status: 503, at: 'error' },
  H11: { desc: 'Backlog too deep', status: 503, at: 'error' },
  H12: { desc: 'Request timeout', status: 503, at: 'error' },
  H13: { desc: 'Connection closed without response', status: 503, at: 'error' },
  H14: { desc: 'No web processes running', status: 503, at: 'error' },
  H15: { desc: 'Idle connection', status: 503, at: 'error' },
  H17: { desc: 'Poorly formatted HTTP response', status: 503, at: 'error' },
  H18: { desc: 'Server Request Interrupted', status: 503, at: 'error', sock: 'backend' },
  H19: { desc: 'Backend connection timeout', status: 503, at: 'error' },
  H20: { desc: 'App boot timeout', status: 503, at: 'error' },
  H21: { desc: 'Backend connection refused', status: 503, at: 'error' },
  H24: { desc: 'Forced close', status: 503, at: 'error' },
  H25: { desc: 'HTTP restriction: oversized header', status: 502, at: 'error' },
  H26: { desc: 'Request Error', status: 400, at: 'error', cause: 'bad chunk' },
  H27: { desc: 'Client Request Interrupted', status: 499, at: 'warning', sock: 'client' },
  H28: { desc: 'Client Connection Idle', status: 499, at: 'warning', sock: 'client' },
  H34: { desc: 'All up dynos are quarantined', status: 503, at: 'error' },
  H80: { desc: 'Maintenance mode', status: 503, at: 'info' },
  H81: { desc: 'Blank app', status: 502, at: 'info' },
  H99: { desc: 'Platform error', status: 503, at: 'error' },
} as const satisfies Record<string, CodeInfo>;

export type HCode = keyof typeof CODES;
