// Read-write locks, barriers, semaphores, spin locks, and what is done once.
// exit: 0
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#define THREADS 5
#define ROUNDS 12

static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t barrier;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_spinlock_t spin;
static sem_t slots, turn[THREADS];
static int onces, pair[2], torn, spun, cells[ROUNDS][THREADS], serial, most, inside;

static void just_once(void)
{
	onces++;
}

static void *phases(void *arg)
{
	int me = (intptr_t)arg;
	pthread_once(&once, just_once);
	for (int r = 0; r < ROUNDS; r++) {
		cells[r][me] = r == 0 ? me : cells[r - 1][(me + 1) % THREADS] + cells[r - 1][me];
		if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
			serial++;
	}
	return NULL;
}

static void *reads_and_writes(void *arg)
{
	int me = (intptr_t)arg;
	for (int i = 0; i < 100; i++) {
		if ((i + me) % 4 == 0) {
			pthread_rwlock_wrlock(&rw);
			pair[0]++;
			for (volatile int n = 0; n < 30; n++)
				;
			pair[1]++;
		} else {
			pthread_rwlock_rdlock(&rw);
			torn += pair[0] != pair[1];
		}
		pthread_rwlock_unlock(&rw);
		pthread_spin_lock(&spin);
		spun++;
		pthread_spin_unlock(&spin);
	}
	return NULL;
}

static void *limited(void *arg)
{
	for (int i = 0; i < 20; i++) {
		sem_wait(&slots);
		int now = __atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST);
		if (now > 2)
			__atomic_store_n(&most, now, __ATOMIC_SEQ_CST);
		__atomic_sub_fetch(&inside, 1, __ATOMIC_SEQ_CST);
		sem_post(&slots);
	}
	return arg;
}

static void *in_turn(void *arg)
{
	int me = (intptr_t)arg;
	for (int i = 0; i < 4; i++) {
		sem_wait(&turn[me]);
		printf("%d%c", me, me == THREADS - 1 ? '\n' : ' ');
		sem_post(&turn[(me + 1) % THREADS]);
	}
	return NULL;
}

static void run(void *(*f)(void *))
{
	pthread_t t[THREADS];
	for (int i = 0; i < THREADS; i++)
		pthread_create(&t[i], NULL, f, (void *)(intptr_t)i);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
}

int main(void)
{
	pthread_barrier_init(&barrier, NULL, THREADS);
	pthread_spin_init(&spin, 0);
	sem_init(&slots, 0, 2);
	for (int i = 0; i < THREADS; i++)
		sem_init(&turn[i], 0, i == 0);
	run(phases);
	for (int i = 0; i < THREADS; i++)
		printf("%d ", cells[ROUNDS - 1][i]);
	printf("once %d, serial %d\n", onces, serial);
	run(reads_and_writes);
	printf("pair %d %d, torn %d, spun %d\n", pair[0], pair[1], torn, spun);
	run(limited);
	printf("too many: %d\n", most);
	run(in_turn);

	struct timespec soon;
	clock_gettime(CLOCK_REALTIME, &soon);
	soon.tv_nsec += 2000000;
	if (soon.tv_nsec >= 1000000000)
		soon.tv_sec++, soon.tv_nsec -= 1000000000;
	sem_t none;
	sem_init(&none, 0, 0);
	int value, error = sem_timedwait(&none, &soon) ? errno : 0;
	sem_getvalue(&slots, &value);
	printf("%d %d %d\n", error == ETIMEDOUT, sem_trywait(&none) == -1 && errno == EAGAIN, value);
	pthread_rwlock_rdlock(&rw);
	printf("%d %d\n", pthread_rwlock_tryrdlock(&rw), pthread_rwlock_trywrlock(&rw) == EBUSY);
	printf("%d\n", pthread_rwlock_timedwrlock(&rw, &soon) == ETIMEDOUT);
	return 0;
}
