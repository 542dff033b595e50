"""The jail: the process that runs one core after another under limits.

What holds, as root and unprivileged alike:
    memory        RLIMIT_AS: each job may map *memory_bytes* more than is mapped
                  already; the filter refuses what would not count: memfd, System V
    processor     ITIMER_PROF counts all threads; its signal ends the process
    wall clock    the parent's SIGKILL, to the whole process group
    files         RLIMIT_FSIZE, RLIMIT_NOFILE, RLIMIT_CORE 0; Landlock: none may be
                  opened, listed or made by path, only those in hand are usable
    network       a seccomp filter refuses sockets and io_uring (x86_64, aarch64)
    processes     the filter refuses other programs and processes, any sight or signal
                  of them, and to set their limits; threads are allowed
    file facts    the filter refuses to change owners, modes and times, and to watch
    machine       the filter refuses mounts, namespaces, modules, keys, bpf and the
                  like; capabilities are dropped, root's too
    secrets       empty environment, no descriptor but those of the job
    orphans       the kernel kills the process group when the parent's pipe closes
What holds where the kernel lets an unprivileged process make namespaces: an empty
network namespace; a user namespace, which shuts the parent's memory (ptrace) once more
and bounds threads (RLIMIT_NPROC). Root gets the network namespace only, since without
root's capabilities its own modules may be out of reach.

Behind Landlock nothing can be imported: `preload` has to have all of it.

What does not hold: a core that was taken over may mislead later jobs of the same
process, and write to the files of its earlier ones; hence their number per process is
bounded. It may ask whether a path exists. Where the kernel has no Landlock it may also
read and write the files that its user may: run workers as a user of their own.
`pratique doctor` names the walls that stand, and tries them.

Linux only. Nothing here is imported by the parent but `wire`, `limits.Limits` and
`probe`.
"""
