import { post } from '../endpoint.ts';

export const logInputEndpoints = {
  /** `application/logplex-1`, with the credentials of the add-on's `log_input_url`. */
  input: post('/logs/:addon/input', {
    title: "Add lines of an add-on to its app's log",
    needs: 'nothing',
    status: 202,
  }),
};
