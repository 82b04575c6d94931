/** What the private key of the cluster's account with a certificate authority is sealed under. */
export const ACME_KEY_NAME = 'acme-account';
