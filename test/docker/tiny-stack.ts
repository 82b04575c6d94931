/**
 * As little of the stack as the wrapper of dynos needs, as a tar on stdout. Every folder has its own entry: some storage
 * drivers close those that have none to all but root.
 */
export const TINY_STACK = `
cd /
programs=$(for name in bash dash sh sleep cat true seq stty base64 mkdir wc; do echo usr/bin/$name; done)
libraries=$(ldd $programs | grep -o '/lib[^ ]*' | sed 's:^:/usr:' | sort -u)
files=$(for file in $libraries; do echo $file; readlink -f $file; done | sed 's:^/::' | sort -u)
files="$programs $files etc/passwd etc/group"
folders=$(for file in $files; do while file=$(dirname $file); [ $file != . ]; do echo $file; done; done | sort -u)
tar -c --no-recursion $folders bin lib lib64 $files app run tmp
`;
