package dev.jarvis.document.sandbox;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * System calls that a parser does not need and that reach beyond its process. Files are Landlock's
 * business, except for what it does not cover.
 */
final class DeniedCalls {
  /**
   * The first number that this list does not know. It is the same for all processors, and calls of
   * newer kernels do not exist for the parser. The last one that is known is mseal of Linux 6.10.
   */
  static final int FIRST_UNKNOWN = 463;

  /** Numbers of x86_64 and aarch64, from the files that {@link SystemCall} names; - is none. */
  private static final String TABLE =
      """
      # new processes and programs; threads are clone's
      fork 57 -
      vfork 58 -
      execveat 322 281
      # sockets
      socket 41 198
      socketpair 53 199
      # other processes: signals, memory, descriptors, priorities
      kill 62 129
      tkill 200 130
      rt_sigqueueinfo 129 138
      rt_tgsigqueueinfo 297 240
      pidfd_open 434 434
      pidfd_getfd 438 438
      pidfd_send_signal 424 424
      ptrace 101 117
      kcmp 312 272
      process_vm_readv 310 270
      process_vm_writev 311 271
      process_madvise 440 440
      process_mrelease 448 448
      migrate_pages 256 238
      move_pages 279 239
      setpriority 141 140
      ioprio_set 251 30
      sched_setaffinity 203 122
      sched_setattr 314 274
      sched_setparam 142 118
      sched_setscheduler 144 119
      # memory and queues that processes of the same user share
      shmget 29 194
      shmat 30 196
      shmctl 31 195
      semget 64 190
      semop 65 193
      semtimedop 220 192
      semctl 66 191
      msgget 68 186
      msgsnd 69 189
      msgrcv 70 188
      msgctl 71 187
      mq_open 240 180
      mq_unlink 241 181
      # attributes of files, which Landlock does not cover
      chmod 90 -
      fchmod 91 52
      fchmodat 268 53
      fchmodat2 452 452
      chown 92 -
      fchown 93 55
      lchown 94 -
      fchownat 260 54
      setxattr 188 5
      lsetxattr 189 6
      fsetxattr 190 7
      removexattr 197 14
      lremovexattr 198 15
      fremovexattr 199 16
      utime 132 -
      utimes 235 -
      futimesat 261 -
      utimensat 280 88
      truncate 76 45
      name_to_handle_at 303 264
      open_by_handle_at 304 265
      fanotify_init 300 262
      # mounts and namespaces
      mount 165 40
      umount2 166 39
      pivot_root 155 41
      chroot 161 51
      unshare 272 97
      setns 308 268
      open_tree 428 428
      move_mount 429 429
      fsopen 430 430
      fsconfig 431 431
      fsmount 432 432
      fspick 433 433
      mount_setattr 442 442
      # parts of the kernel with a large surface
      bpf 321 280
      perf_event_open 298 241
      userfaultfd 323 282
      io_uring_setup 425 425
      io_uring_enter 426 426
      io_uring_register 427 427
      add_key 248 217
      request_key 249 218
      keyctl 250 219
      personality 135 92
      modify_ldt 154 -
      iopl 172 -
      ioperm 173 -
      # the machine
      init_module 175 105
      finit_module 313 273
      delete_module 176 106
      kexec_load 246 104
      kexec_file_load 320 294
      reboot 169 142
      swapon 167 224
      swapoff 168 225
      acct 163 89
      quotactl 179 60
      quotactl_fd 443 443
      syslog 103 116
      vhangup 153 58
      sethostname 170 161
      setdomainname 171 162
      settimeofday 164 170
      clock_settime 227 112
      clock_adjtime 305 266
      adjtimex 159 171
      """;

  /** Commands of {@code fcntl} that have the kernel signal another process; see linux/fcntl.h. */
  static final Map<String, Integer> FCNTL =
      Map.of("F_SETOWN", 8, "F_SETSIG", 10, "F_SETOWN_EX", 15);

  /** Commands of {@code ioctl} that do the same; see asm-generic/sockios.h. */
  static final Map<String, Integer> IOCTL = Map.of("FIOSETOWN", 0x8901, "SIOCSPGRP", 0x8902);

  private DeniedCalls() {}

  /** The names and numbers of the calls that the architecture has. */
  static Map<String, Integer> numbers(Architecture architecture) {
    int column = architecture == Architecture.X86_64 ? 1 : 2;
    Map<String, Integer> numbers = new LinkedHashMap<>();
    for (String line : TABLE.split("\n", -1)) {
      String[] columns = line.split(" ", -1);
      if (!line.startsWith("#") && columns.length == 3 && !columns[column].equals("-")) {
        numbers.put(columns[0], Integer.valueOf(columns[column]));
      }
    }
    return numbers;
  }
}
